//! A web server on this machine that answers what it is told to.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What an address is answered with.
#[derive(Debug, Clone)]
pub struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    /// How much of the body is sent before the connection is closed.
    sent: Option<usize>,
}

impl Answer {
    pub fn ok(body: impl Into<Vec<u8>>) -> Answer {
        Answer {
            status: 200,
            headers: Vec::new(),
            body: body.into(),
            sent: None,
        }
    }

    pub fn status(status: u16) -> Answer {
        Answer {
            status,
            ..Answer::ok("")
        }
    }

    pub fn header(mut self, name: &str, value: &str) -> Answer {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Closes the connection after this much.
    pub fn cut(mut self, sent: usize) -> Answer {
        self.sent = Some(sent);
        self
    }
}

/// A server that stops with the test.
pub struct Server {
    address: SocketAddr,
    shared: Arc<Mutex<Shared>>,
    task: tokio::task::JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    answers: BTreeMap<String, Answer>,
    /// Path with query, and the header Authorization.
    requests: Vec<(String, Option<String>)>,
}

impl Server {
    pub async fn start() -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared: Arc<Mutex<Shared>> = Arc::default();
        let served = shared.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, served.clone()));
            }
        });
        Server {
            address,
            shared,
            task,
        }
    }

    /// `127.0.0.1:PORT`
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Answers a path with this from now on; a query is not looked at.
    pub fn at(&self, path: &str, answer: Answer) -> &Server {
        let mut shared = self.shared.lock().unwrap();
        shared.answers.insert(path.into(), answer);
        self
    }

    /// The registry's first answer, and the versions of a module.
    pub fn registry(&self, module: &str, versions: &[&str]) -> &Server {
        let listed: Vec<String> = versions
            .iter()
            .map(|v| format!("{{\"version\":\"{v}\"}}"))
            .collect();
        let versions = format!("{{\"modules\":[{{\"versions\":[{}]}}]}}", listed.join(","));
        self.at(
            "/.well-known/terraform.json",
            Answer::ok("{\"modules.v1\":\"/v1/modules\"}"),
        );
        self.at(
            &format!("/v1/modules/{module}/versions"),
            Answer::ok(versions),
        )
    }

    /// Paths with queries that were asked for since the last time.
    pub fn requests(&self) -> Vec<String> {
        self.authorized()
            .into_iter()
            .map(|(path, _)| path)
            .collect()
    }

    /// As [`Server::requests`], with the header Authorization.
    pub fn authorized(&self) -> Vec<(String, Option<String>)> {
        std::mem::take(&mut self.shared.lock().unwrap().requests)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut stream: TcpStream, shared: Arc<Mutex<Shared>>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let target = head.split(' ').nth(1).unwrap_or("/").to_string();
    let authorization = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("authorization")
            .then(|| value.to_string())
    });
    let answer = {
        let mut shared = shared.lock().unwrap();
        let path = target.split('?').next().unwrap_or("/");
        let answer = shared.answers.get(path).cloned();
        shared.requests.push((target, authorization));
        answer.unwrap_or_else(|| Answer::status(404))
    };
    let mut reply = format!("HTTP/1.1 {} X\r\nConnection: close\r\n", answer.status);
    if answer.status != 204 {
        reply.push_str(&format!("Content-Length: {}\r\n", answer.body.len()));
    }
    for (name, value) in &answer.headers {
        reply.push_str(&format!("{name}: {value}\r\n"));
    }
    reply.push_str("\r\n");
    let body = &answer.body[..answer.sent.unwrap_or(answer.body.len())];
    // The client may have gone away.
    let _ = stream.write_all(reply.as_bytes()).await;
    let _ = stream.write_all(body).await;
    let _ = stream.shutdown().await;
}
