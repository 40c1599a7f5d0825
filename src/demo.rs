//! `--demo`, a simulated agent API in this process, and `demo-server`, which serves only that API.
//!
//! It owns the verb's arguments, its output and the files that it writes. The dashboard uses the
//! simulation over HTTP, as any other server. The demo has a store of its own, with the history of
//! two days. This file must not know the client, the board or the screen.

mod config_text;
mod fixtures;
mod history;
mod routes;
mod server;
mod simulator;
mod timeline;

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use tempfile::TempDir;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;

use crate::base_url::BaseUrl;
use crate::private_file;
use crate::store::{self, Batch, Database};

use self::config_text::store_text;
pub use self::server::{DemoServer, Options};
use crate::time;

/// Serve simulated agent jobs by the API's contract, for scripts, tests and measuring.
///
/// The server listens on 127.0.0.1 only, and prints its base URL and its key. A prompt with the
/// word "fail" makes a job that fails, one with the word "nothing" a job that changes nothing.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:
  mintwatch demo-server --write-config demo.toml       then: mintwatch --config demo.toml
  mintwatch demo-server --jobs 5000 --latency 50ms --speed 0 --write-config big.toml

Exit codes: 0 ended by Ctrl-C or SIGTERM; 1 it cannot listen or write; 2 usage.")]
pub struct DemoServerArgs {
    /// The port on 127.0.0.1; 0 takes a free one
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub port: u16,

    /// How many times faster than real time the jobs run; at 0 nothing changes
    #[arg(long, value_name = "X", default_value_t = 1.0,
          value_parser = number_up_to(10_000.0, "expected a number from 0 to 10000"))]
    pub speed: f64,

    /// How many jobs there are, over three projects
    #[arg(long, value_name = "N", default_value_t = 24,
          value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(..=100_000))]
    pub jobs: usize,

    /// How long each response takes, such as 50ms or 0 [default: 40 to 160 ms]
    #[arg(long, value_name = "D", value_parser = parse_latency)]
    pub latency: Option<Duration>,

    /// The share of polls that fail with a 503, from 0 to 1
    #[arg(long, value_name = "RATE", default_value_t = 0.0,
          value_parser = number_up_to(1.0, "expected a number from 0 to 1, such as 0.05"))]
    pub errors: f64,

    /// Write a config that watches the jobs to FILE, and its key to FILE.key (replaces both)
    #[arg(long, value_name = "FILE")]
    pub write_config: Option<PathBuf>,
}

impl DemoServerArgs {
    fn options(&self) -> Options {
        Options {
            jobs: self.jobs,
            speed: self.speed,
            latency: self.latency,
            error_rate: self.errors,
            port: self.port,
            ..Options::default()
        }
    }
}

fn number_up_to(
    max: f64,
    expected: &'static str,
) -> impl Fn(&str) -> Result<f64, &'static str> + Clone {
    move |text| {
        let number = text.parse().ok();
        number
            .filter(|number| (0.0..=max).contains(number))
            .ok_or(expected)
    }
}

fn parse_latency(text: &str) -> Result<Duration, &'static str> {
    match text {
        "0" => Ok(Duration::ZERO),
        _ => time::parse_duration(text).ok_or("expected a duration, such as 50ms, 1.5s or 0"),
    }
}

/// Serves the simulated API until Ctrl-C or SIGTERM; prints its address and key on `out`.
pub async fn serve(args: &DemoServerArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    // Before the announcement: its reader may stop the server at once.
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot await Ctrl-C")?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot await SIGTERM")?;
    let _server = start(args, out).await?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}

async fn start(args: &DemoServerArgs, out: &mut dyn Write) -> anyhow::Result<DemoServer> {
    let server = DemoServer::start(args.options())
        .await
        .with_context(|| format!("cannot serve on 127.0.0.1 port {}", args.port))?;
    let path = args.write_config.as_deref();
    let written = path.map(|path| write_config(&server, path, None));
    let written = written.transpose()?;
    out.write_all(announcement(&server, written.as_ref()).as_bytes())?;
    out.flush()?;
    Ok(server)
}

/// A server in this process, a config that watches it, and a store, in a folder that is removed when
/// this is dropped.
pub struct Demo {
    _server: DemoServer,
    _folder: TempDir,
    config: PathBuf,
}

impl Demo {
    pub async fn start() -> anyhow::Result<Self> {
        let server = DemoServer::start(Options::default())
            .await
            .context("cannot start the demo server")?;
        let folder = tempfile::Builder::new()
            .prefix("mintwatch-demo-")
            .tempdir()
            .context("cannot create a folder for the demo's config")?;
        let [store, config] = ["store.db", "config.toml"].map(|name| folder.path().join(name));
        let seeding = seed(store.clone(), config.clone(), &server);
        let written = write_config(&server, &config, Some(&store));
        // The dashboard opens the store next.
        let _ = seeding.await;
        let written = written?;
        Ok(Self {
            _server: server,
            _folder: folder,
            config: written.config,
        })
    }

    pub fn config_path(&self) -> &Path {
        &self.config
    }
}

/// Makes the store at `path` as an earlier run would have left it, on a thread that may wait for the
/// disk. Without one the demo has no history.
fn seed(path: PathBuf, config: PathBuf, server: &DemoServer) -> JoinHandle<()> {
    let (base_url, history) = (server.base_url(), server.history());
    tokio::task::spawn_blocking(move || {
        if let Err(error) = store(&path, &config, &base_url, &history) {
            tracing::warn!(%error, "cannot store the demo's history");
        }
    })
}

fn store(path: &Path, config: &Path, base_url: &str, history: &Batch) -> anyhow::Result<()> {
    // As whoever reads the config writes it.
    let base_url: BaseUrl = base_url.parse()?;
    let (database, _) = Database::open(path, &base_url.to_string())?;
    let mut database = database.of_config(&store::config_name(config));
    database.store(history)?;
    Ok(())
}

struct WrittenConfig {
    config: PathBuf,
    key: PathBuf,
}

fn announcement(server: &DemoServer, written: Option<&WrittenConfig>) -> String {
    let facts = format!("base_url {}\nkey {}\n", server.base_url(), server.key());
    let usage = match written {
        Some(WrittenConfig { config, key }) => format!(
            "config {}\nkey_file {}\n\nWatch it:  mintwatch --config {}\n",
            config.display(),
            key.display(),
            shell_words::quote(&config.to_string_lossy()),
        ),
        None => {
            "\nWatch it:  start it with --write-config FILE, then mintwatch --config FILE\n".into()
        }
    };
    format!(
        "{facts}{usage}\
         Prompts with the word \"fail\" or \"nothing\" make jobs that fail or change nothing.\n\
         Stop it:   Ctrl-C\n"
    )
}

/// Writes the config to `path`, and the key to `path` with the suffix `.key`. Without `store`, whoever
/// watches it remembers in the user's own.
fn write_config(
    server: &DemoServer,
    path: &Path,
    store: Option<&Path>,
) -> anyhow::Result<WrittenConfig> {
    let config = std::path::absolute(path)
        .with_context(|| format!("cannot find out where {} is", path.display()))?;
    let key = with_suffix(&config, ".key");
    let mut text = server.config_toml(&format!("file = {}", quoted(&key)?));
    if let Some(store) = store {
        text.push_str(&store_text(&quoted(store)?));
    }
    write(&key, &format!("{}\n", server.key()))?;
    write(&config, &text)?;
    Ok(WrittenConfig { config, key })
}

/// A path as a string in TOML.
fn quoted(path: &Path) -> anyhow::Result<String> {
    let text = path.to_str();
    let text =
        text.with_context(|| format!("{} is not UTF-8, which a config needs", path.display()))?;
    Ok(toml::Value::from(text).to_string())
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    private_file::replace(path, text).with_context(|| format!("cannot write {}", path.display()))
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use clap::Parser;
    use jiff::{SignedDuration, Timestamp};

    use super::*;
    use crate::config::Config;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        args: DemoServerArgs,
    }

    fn parse(args: &[&str]) -> Result<DemoServerArgs, clap::Error> {
        let args = ["demo-server"].iter().chain(args);
        Cli::try_parse_from(args).map(|cli| cli.args)
    }

    #[test]
    fn argument_table() {
        let args = parse(&[]).unwrap();
        assert_eq!((args.port, args.jobs), (0, 24));
        assert_eq!((args.speed, args.errors), (1.0, 0.0));
        assert_eq!(args.latency, None);
        for (text, want) in [("0", 0), ("50ms", 50), ("0s", 0), ("1.5s", 1_500)] {
            let args = parse(&["--latency", text]).unwrap();
            assert_eq!(args.latency, Some(Duration::from_millis(want)), "{text}");
        }
        for bad in [
            ["--latency", "fast"],
            ["--latency", "50"],
            ["--latency=-1s", "--jobs=1"],
            ["--speed=-1", "--jobs=1"],
            ["--speed", "NaN"],
            ["--errors", "1.1"],
            ["--jobs", "100001"],
            ["--port", "65536"],
        ] {
            assert!(parse(&bad).is_err(), "{bad:?}");
        }
    }

    #[tokio::test]
    async fn it_prints_its_address_and_writes_a_private_config() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a \"demo\".toml");
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let args = parse(&["--write-config", path.to_str().unwrap(), "--jobs", "7"]).unwrap();
        let mut out = Vec::new();
        let server = start(&args, &mut out).await.unwrap();

        let out = String::from_utf8(out).unwrap();
        let lines: Vec<_> = out.lines().collect();
        assert_eq!(lines[0], format!("base_url {}", server.base_url()));
        assert_eq!(lines[1], format!("key {}", server.key()));
        assert_eq!(lines[2], format!("config {}", path.display()));
        assert_eq!(lines[3], format!("key_file {}.key", path.display()));

        let config: toml::Table = fs::read_to_string(&path).unwrap().parse().unwrap();
        assert!(!config.contains_key("store"));
        assert_eq!(config["base_url"].as_str(), Some(&*server.base_url()));
        let key_file = config["key"]["file"].as_str().unwrap();
        let key = fs::read_to_string(key_file).unwrap();
        assert_eq!(key.trim_end(), server.key());
        for file in [path.to_str().unwrap(), key_file] {
            let mode = fs::metadata(file).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{file}");
        }
        let left = fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(left, 2, "no temporary file stays");
    }

    #[tokio::test]
    async fn the_demo_has_a_store_of_its_own_in_its_folder() {
        let demo = Demo::start().await.unwrap();
        let folder = demo.config_path().parent().unwrap();
        let config = Config::load(demo.config_path()).unwrap();
        let path = config.store.path.unwrap();
        assert_eq!(path, folder.join("store.db"));
        let (database, _) = Database::open(&path, &config.base_url.to_string()).unwrap();
        assert_eq!(database.jobs().unwrap().len(), 24);
        let two_days_ago = Timestamp::now() - SignedDuration::from_hours(49);
        let events = database.events(two_days_ago, 100).unwrap();
        assert!(events.len() >= 20, "{}", events.len());
        let folder = folder.to_owned();
        drop(demo);
        assert!(!folder.exists());
    }

    #[tokio::test]
    async fn errors_name_the_file_or_the_port() {
        let args = parse(&["--write-config", "/nowhere/at/all.toml"]).unwrap();
        let error = start(&args, &mut Vec::new()).await.err().unwrap();
        assert!(error.to_string().contains("/nowhere/at/all.toml"));

        let running = start(&parse(&[]).unwrap(), &mut Vec::new()).await.unwrap();
        let url = running.base_url();
        let port = url.rsplit(':').next().unwrap();
        let args = parse(&["--port", port]).unwrap();
        let error = start(&args, &mut Vec::new()).await.err().unwrap();
        assert!(error.to_string().contains(port), "{error}");
    }
}
