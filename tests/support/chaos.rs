//! A light HTTP/1.1 server for long runs: its jobs change all the time, and a share of its replies
//! are faults, drawn from a seed.
//!
//! It keeps counts and no requests, so that its memory stays flat for days; each connection is a
//! task, all on one thread of its own. It must not know the client.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

/// How a reply can be wrong, in the order in which they are counted.
pub const FAULTS: [(&str, Fault); 9] = [
    ("500", Fault::Failed),
    ("503", Fault::Unavailable),
    ("429", Fault::TooMany),
    ("404", Fault::NotFound),
    ("reset", Fault::Reset),
    ("hang", Fault::Hang),
    ("truncate", Fault::Truncate),
    ("html", Fault::Html),
    ("drip", Fault::Drip),
];
const STATUSES: [&str; 4] = ["active", "completed", "failed", "queued"];
/// Jobs with a lower index may be archived, which is for good.
const MAY_BE_ARCHIVED: usize = 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    Failed,
    Unavailable,
    TooMany,
    NotFound,
    Reset,
    Hang,
    Truncate,
    Html,
    Drip,
}

/// A job as the server has it now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Truth {
    pub status: &'static str,
    /// Goes up with every change; it is in the name of the branch.
    pub revision: u64,
    pub pull_request: Option<String>,
}

/// What happened so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    pub requests: u64,
    pub connections: u64,
    pub changes: u64,
    /// In the order of [`FAULTS`].
    pub faults: [u64; FAULTS.len()],
}

/// The server. It stops when it is dropped.
pub struct Chaos {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

struct Shared(Mutex<State>);

struct State {
    jobs: Vec<Truth>,
    projects: usize,
    /// Of each thousand replies, so many are faults.
    faults_per_mille: u32,
    changing: bool,
    rng: fastrand::Rng,
    counts: Counts,
}

impl Chaos {
    /// A server of `jobs` jobs in `projects` projects, well and at rest until it is let loose.
    pub fn start(jobs: usize, projects: usize, seed: u64) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let truth = Truth {
            status: "active",
            revision: 0,
            pull_request: None,
        };
        let shared = Arc::new(Shared(Mutex::new(State {
            jobs: vec![truth; jobs],
            projects,
            faults_per_mille: 0,
            changing: false,
            rng: fastrand::Rng::with_seed(seed),
            counts: Counts::default(),
        })));
        let (stop, stopped) = oneshot::channel();
        let own = Arc::clone(&shared);
        let thread = std::thread::spawn(move || serve(listener, &own, stopped));
        Self {
            address,
            shared,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The ids of the project and the job at `index`.
    pub fn ids(&self, index: usize) -> (String, String) {
        ids(index, self.shared.state().projects)
    }

    /// From now on so many of a thousand replies are faults, and the jobs change or do not.
    pub fn set(&self, faults_per_mille: u32, changing: bool) {
        let mut state = self.shared.state();
        state.faults_per_mille = faults_per_mille;
        state.changing = changing;
    }

    pub fn truths(&self) -> Vec<Truth> {
        self.shared.state().jobs.clone()
    }

    pub fn counts(&self) -> Counts {
        self.shared.state().counts
    }
}

impl Drop for Chaos {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }
}

impl State {
    /// Counts a request, and says how it is answered.
    fn asked(&mut self, path: &str) -> Result<String, Fault> {
        self.counts.requests += 1;
        if self.rng.u32(0..1000) < self.faults_per_mille {
            let kind = self.rng.usize(0..FAULTS.len());
            self.counts.faults[kind] += 1;
            return Err(FAULTS[kind].1);
        }
        let index = path
            .rsplit_once("/job/j")
            .and_then(|(_, id)| id.parse::<usize>().ok());
        let index = index.expect("every path is of a job");
        let job = &self.jobs[index];
        let body = json!({
            "id": "job_of_the_reply",
            "status": job.status,
            "source": { "repository": "https://github.com/acme/docs", "ref": branch(job.revision) },
            "model": "sonnet",
            "prLink": job.pull_request,
            "createdAt": "2026-11-20T10:00:00.000Z",
        });
        Ok(full("200 OK", "application/json", &body.to_string()))
    }

    fn change_one(&mut self) {
        if !self.changing {
            return;
        }
        let index = self.rng.usize(..self.jobs.len());
        let archive = index < MAY_BE_ARCHIVED && self.rng.u32(0..10) == 0;
        let status = STATUSES[self.rng.usize(..STATUSES.len())];
        let job = &mut self.jobs[index];
        if job.status == "archived" {
            return;
        }
        job.status = if archive { "archived" } else { status };
        job.revision += 1;
        let link = format!("https://github.com/acme/docs/pull/{}", job.revision);
        job.pull_request = (job.status == "completed").then_some(link);
        self.counts.changes += 1;
    }
}

/// The branch of a job at this revision.
pub fn branch(revision: u64) -> String {
    format!("revision-{revision}")
}

fn ids(index: usize, projects: usize) -> (String, String) {
    (format!("p{}", index % projects), format!("j{index}"))
}

fn serve(listener: std::net::TcpListener, shared: &Arc<Shared>, stopped: oneshot::Receiver<()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let listener = TcpListener::from_std(listener).unwrap();
        tokio::select! {
            _ = stopped => {}
            () = accept(&listener, shared) => {}
            () = change(shared) => {}
        }
    });
}

async fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        shared.state().counts.connections += 1;
        let shared = Arc::clone(shared);
        tokio::spawn(async move {
            // An error is a client that went away, as it does from every hanging reply.
            let _ = connection(stream, &shared).await;
        });
    }
}

async fn change(shared: &Shared) {
    let mut ticks = tokio::time::interval(Duration::from_millis(5));
    loop {
        ticks.tick().await;
        shared.state().change_one();
    }
}

async fn connection(mut stream: TcpStream, shared: &Shared) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut request = Vec::new();
    loop {
        request.clear();
        while !request.ends_with(b"\r\n\r\n") {
            if stream.read_buf(&mut request).await? == 0 {
                return Ok(());
            }
        }
        let text = String::from_utf8_lossy(&request);
        let path = text.split(' ').nth(1).unwrap_or_default();
        let reply = shared.state().asked(path);
        match reply {
            Ok(reply) => stream.write_all(reply.as_bytes()).await?,
            Err(fault) => match whole(fault, shared) {
                Some(reply) => stream.write_all(reply.as_bytes()).await?,
                None => return break_off(fault, stream).await,
            },
        }
    }
}

/// The reply of a fault that keeps to HTTP.
fn whole(fault: Fault, shared: &Shared) -> Option<String> {
    let refused = |status: &str| full(status, "application/json", r#"{"error":"scripted"}"#);
    match fault {
        Fault::Failed => Some(refused("500 Failed")),
        Fault::Unavailable => Some(refused("503 Unavailable")),
        Fault::NotFound => Some(refused("404 Not Found")),
        Fault::Html => Some(full("200 OK", "text/html", "<!DOCTYPE html><p>Welcome")),
        Fault::TooMany => {
            // A whole project waits for it, so one that is more than nothing is rare.
            let seconds = u32::from(shared.state().rng.u32(0..10) == 0);
            Some(refused(&format!("429 Slow\r\nRetry-After: {seconds}")))
        }
        Fault::Reset | Fault::Hang | Fault::Truncate | Fault::Drip => None,
    }
}

async fn break_off(fault: Fault, mut stream: TcpStream) -> std::io::Result<()> {
    const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n{";
    match fault {
        // With no time to linger, closing resets the connection.
        Fault::Reset => socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO))?,
        Fault::Truncate => stream.write_all(HEAD).await?,
        Fault::Drip => {
            stream.write_all(HEAD).await?;
            loop {
                tokio::time::sleep(Duration::from_millis(20)).await;
                stream.write_all(b" ").await?;
            }
        }
        _ => {
            // Until the client leaves.
            stream.read_u8().await?;
        }
    }
    Ok(())
}

fn full(status: &str, content_type: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}
