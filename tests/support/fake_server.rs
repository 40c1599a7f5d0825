//! A scripted HTTP/1.1 server on a free loopback port, with every fault that a real one can have.
//!
//! It speaks raw TCP on plain threads, so that it can break the protocol anywhere and serve tests
//! of any kind. All its threads end when it is stopped or dropped. It must not know the client.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::reply::{ID_OF_REPLY, Reply, Script};

/// The first byte of a client that wants TLS: web servers answer it in plain text.
const TLS_HANDSHAKE: u8 = 0x16;

/// The server. Whatever no script is set for is answered with 404.
pub struct FakeServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    /// The path as it was on the wire, percent-encoded.
    pub path: String,
    /// The names are in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub at: Instant,
    /// Which connection it came on: 1 is the first that was accepted.
    pub connection: u64,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    sent: AtomicU64,
}

#[derive(Default)]
struct State {
    up: bool,
    scripts: HashMap<(String, String), Script>,
    default: Option<Script>,
    requests: Vec<Request>,
    accepted: u64,
    open: HashMap<u64, TcpStream>,
    workers: Vec<JoinHandle<()>>,
}

impl FakeServer {
    pub fn start() -> Self {
        let mut server = Self {
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            shared: Arc::default(),
            acceptor: None,
        };
        server.restart();
        server
    }

    /// `http://127.0.0.1:PORT`.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// How `job` of `project` is answered from now on.
    pub fn set(&self, project: &str, job: &str, script: impl Into<Script>) {
        let key = (project.to_owned(), job.to_owned());
        self.shared.state().scripts.insert(key, script.into());
    }

    /// How everything that has no script of its own is answered from now on.
    pub fn set_default(&self, script: impl Into<Script>) {
        self.shared.state().default = Some(script.into());
    }

    /// The requests so far, in the order in which they came.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.state().requests.clone()
    }

    /// The requests for `job` of `project` so far.
    pub fn requests_of(&self, project: &str, job: &str) -> Vec<Request> {
        let mut requests = self.requests();
        requests.retain(|request| request.names(project, job));
        requests
    }

    /// How many connections were accepted so far.
    pub fn connections(&self) -> u64 {
        self.shared.state().accepted
    }

    /// How many connections are open now.
    pub fn open_connections(&self) -> usize {
        self.shared.state().open.len()
    }

    /// How many bytes were handed to the system to send so far.
    pub fn bytes_sent(&self) -> u64 {
        self.shared.sent.load(Ordering::Relaxed)
    }

    /// Waits until there were `count` requests; panics when that takes longer than `limit`.
    pub fn wait_for_requests(&self, count: usize, limit: Duration) -> Vec<Request> {
        self.wait(limit, &format!("{count} requests"), |state| {
            state.requests.len() >= count
        });
        self.requests()
    }

    /// Waits until `job` of `project` was asked for `count` times.
    pub fn wait_for_requests_of(
        &self,
        project: &str,
        job: &str,
        count: usize,
        limit: Duration,
    ) -> Vec<Request> {
        let what = format!("{count} requests for {project}/{job}");
        self.wait(limit, &what, |state| {
            let matching = state.requests.iter().filter(|r| r.names(project, job));
            matching.count() >= count
        });
        self.requests_of(project, job)
    }

    /// Waits until every connection is closed.
    pub fn wait_until_idle(&self, limit: Duration) {
        self.wait(limit, "no open connection", |state| state.open.is_empty());
    }

    fn wait(&self, limit: Duration, what: &str, mut until: impl FnMut(&State) -> bool) {
        let (state, timeout) = self
            .shared
            .changed
            .wait_timeout_while(self.shared.state(), limit, |state| !until(state))
            .unwrap();
        let seen: Vec<_> = state.requests.iter().map(|r| r.path.clone()).collect();
        drop(state);
        assert!(
            !timeout.timed_out(),
            "waited {limit:?} for {what}; the server saw {seen:?}"
        );
    }

    /// Goes down: closes the port and every connection. Scripts and requests are kept.
    pub fn stop(&mut self) {
        let Some(acceptor) = self.acceptor.take() else {
            return;
        };
        {
            let mut state = self.shared.state();
            state.up = false;
            for connection in state.open.values() {
                // It may be closed already.
                let _ = connection.shutdown(Shutdown::Both);
            }
        }
        self.shared.changed.notify_all();
        // Wakes the acceptor, which waits for a connection.
        let _ = TcpStream::connect(self.address);
        acceptor.join().unwrap();
        let workers = std::mem::take(&mut self.shared.state().workers);
        for worker in workers {
            worker.join().unwrap();
        }
    }

    /// Comes back on the same port.
    pub fn restart(&mut self) {
        self.stop();
        let listener = TcpListener::bind(self.address).unwrap();
        self.address = listener.local_addr().unwrap();
        self.shared.state().up = true;
        let shared = Arc::clone(&self.shared);
        self.acceptor = Some(std::thread::spawn(move || accept(&listener, &shared)));
    }
}

impl Drop for FakeServer {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(own, _)| own == name)?;
        Some(&found.1)
    }

    /// The project and the job that the path names, decoded; the job is empty for a new one.
    pub fn target(&self) -> Option<(String, String)> {
        let mut segments = self.path.split('/').skip_while(|part| *part != "agent");
        let project = segments.nth(1)?;
        segments.next().filter(|part| *part == "job")?;
        Some((
            percent_decode(project),
            percent_decode(segments.next().unwrap_or_default()),
        ))
    }

    fn names(&self, project: &str, job: &str) -> bool {
        self.target()
            .is_some_and(|target| target == (project.to_owned(), job.to_owned()))
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Waits until `limit` has passed or the server stops, and says whether it is still up.
    fn pause(&self, limit: Duration) -> bool {
        let (state, _) = self
            .changed
            .wait_timeout_while(self.state(), limit, |state| state.up)
            .unwrap();
        state.up
    }

    fn send(&self, stream: &mut TcpStream, bytes: &[u8]) -> io::Result<()> {
        stream.write_all(bytes)?;
        self.sent.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        Ok(())
    }
}

impl State {
    fn next_reply(&mut self, request: &Request) -> Reply {
        let own = request
            .target()
            .and_then(|target| self.scripts.get_mut(&target));
        let reply = match own.or(self.default.as_mut()) {
            Some(script) => script.next_reply(),
            None => Reply::not_found(),
        };
        let job = request.target().map(|(_, job)| job);
        let job = job.filter(|job| !job.is_empty());
        reply.about(job.as_deref().unwrap_or(ID_OF_REPLY))
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming().map_while(Result::ok) {
        let mut state = shared.state();
        if !state.up {
            return;
        }
        state.accepted += 1;
        let id = state.accepted;
        state.open.insert(id, stream.try_clone().unwrap());
        state.workers.retain(|worker| !worker.is_finished());
        let shared = Arc::clone(shared);
        state.workers.push(std::thread::spawn(move || {
            // An error is a client that went away, which many tests make it do.
            let _ = serve(stream, id, &shared);
            shared.state().open.remove(&id);
            shared.changed.notify_all();
        }));
    }
}

fn serve(mut stream: TcpStream, connection: u64, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    if reader.fill_buf()?.first() == Some(&TLS_HANDSHAKE) {
        return shared.send(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n");
    }
    while let Some(request) = read_request(&mut reader, connection)? {
        let reply = {
            let mut state = shared.state();
            let reply = state.next_reply(&request);
            state.requests.push(request);
            reply
        };
        shared.changed.notify_all();
        if !perform(&reply, &mut stream, shared)? {
            break;
        }
    }
    Ok(())
}

/// Sends `reply`, and says whether the connection can be used again.
fn perform(reply: &Reply, stream: &mut TcpStream, shared: &Shared) -> io::Result<bool> {
    match reply {
        Reply::Full {
            status,
            headers,
            body,
        } => {
            let mut message = head(*status, headers, body.len());
            message.extend(body);
            shared.send(stream, &message)?;
            return Ok(true);
        }
        Reply::Raw(bytes) => shared.send(stream, bytes)?,
        Reply::HangBeforeHeaders => hang(stream)?,
        Reply::HangInHeaders => {
            shared.send(stream, b"HTTP/1.1 200 OK\r\nContent-Ty")?;
            hang(stream)?;
        }
        Reply::HangInBody => {
            shared.send(stream, b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{")?;
            hang(stream)?;
        }
        Reply::Drip(interval) => {
            shared.send(stream, b"HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\n")?;
            while shared.pause(*interval) {
                shared.send(stream, b" ")?;
            }
        }
        // With no time to linger, closing resets the connection.
        Reply::Reset => socket2::SockRef::from(&*stream).set_linger(Some(Duration::ZERO))?,
        Reply::Truncate => {
            shared.send(
                stream,
                b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"status\":",
            )?;
        }
        Reply::EndlessStream => {
            shared.send(stream, b"HTTP/1.1 200 OK\r\n\r\n")?;
            let spaces = [b' '; 16 * 1024];
            loop {
                shared.send(stream, &spaces)?;
            }
        }
        Reply::EndlessInterim => {
            let both = "HTTP/1.1 100 Continue\r\n\r\n\
                        HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n";
            let many = both.repeat(200);
            loop {
                shared.send(stream, many.as_bytes())?;
            }
        }
        Reply::Gated(gate, reply) => {
            while !gate.is_open() {
                if !shared.pause(Duration::from_millis(2)) {
                    return Ok(false);
                }
            }
            return perform(reply, stream, shared);
        }
    }
    Ok(false)
}

fn head(status: u16, headers: &[(String, String)], length: usize) -> Vec<u8> {
    let mut lines = vec![format!("HTTP/1.1 {status} Scripted")];
    lines.extend(
        headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}")),
    );
    // RFC 9110 section 8.6 forbids a length here.
    if status != 204 {
        lines.push(format!("Content-Length: {length}"));
    }
    (lines.join("\r\n") + "\r\n\r\n").into_bytes()
}

/// Holds the connection until the client leaves or the server stops.
fn hang(stream: &mut TcpStream) -> io::Result<()> {
    io::copy(stream, &mut io::sink()).map(drop)
}

fn read_request(reader: &mut BufReader<TcpStream>, connection: u64) -> io::Result<Option<Request>> {
    let Some(first) = read_line(reader)? else {
        return Ok(None);
    };
    let mut words = first.split(' ');
    let mut request = Request {
        method: words.next().unwrap_or_default().to_owned(),
        path: words.next().unwrap_or_default().to_owned(),
        headers: Vec::new(),
        body: Vec::new(),
        at: Instant::now(),
        connection,
    };
    while let Some(line) = read_line(reader)?.filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':').unwrap_or((&line, ""));
        let header = (name.to_ascii_lowercase(), value.trim().to_owned());
        request.headers.push(header);
    }
    let length = request.header("content-length").map(str::parse);
    request.body = vec![0; length.and_then(Result::ok).unwrap_or(0)];
    reader.read_exact(&mut request.body)?;
    Ok(Some(request))
}

/// A line without its end; nothing where the client has left.
fn read_line(reader: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    reader.take(64 * 1024).read_until(b'\n', &mut line)?;
    let text = String::from_utf8_lossy(&line);
    Ok((!line.is_empty()).then(|| text.trim_end_matches(['\r', '\n']).to_owned()))
}

fn percent_decode(raw: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = raw.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        let code = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        if let (b'%', Some(code)) = (first, code) {
            bytes.push(code);
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
