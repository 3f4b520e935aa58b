//! A Kubernetes API in miniature on loopback: it keeps secrets in memory, makes tokens of service
//! accounts, and writes down what it was asked.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// What was asked.
#[derive(Debug, Clone)]
pub struct Asked {
    pub method: String,
    pub path: String,
    /// The bearer token.
    pub token: String,
    pub body: Value,
}

#[derive(Default)]
struct Inner {
    secrets: BTreeMap<String, Value>,
    asked: Vec<Asked>,
    made: u64,
    /// Connections that never get an answer.
    held: Vec<TcpStream>,
}

/// The API. Its thread ends with the test's process.
pub struct Api {
    port: u16,
    inner: Arc<Mutex<Inner>>,
}

impl Api {
    pub fn start() -> Api {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let inner: Arc<Mutex<Inner>> = Arc::default();
        let shared = inner.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let inner = shared.clone();
                std::thread::spawn(move || serve(stream.unwrap(), &inner));
            }
        });
        Api { port, inner }
    }

    /// Where it is.
    pub fn host(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Everything that it was asked so far, which it forgets.
    pub fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.inner.lock().unwrap().asked)
    }

    /// What a secret has under a name, decoded; nothing where there is none.
    pub fn kept(&self, secret: &str, name: &str) -> Option<String> {
        use base64::Engine as _;
        let inner = self.inner.lock().unwrap();
        let found = inner.secrets.get(secret)?;
        let encoded = found["data"][name].as_str()?;
        let decoded = base64::engine::general_purpose::STANDARD.decode(encoded);
        Some(String::from_utf8(decoded.unwrap()).unwrap())
    }

    /// A label of a secret.
    pub fn label(&self, secret: &str, name: &str) -> Option<String> {
        let inner = self.inner.lock().unwrap();
        let found = inner.secrets.get(secret)?;
        Some(found["metadata"]["labels"][name].as_str()?.to_owned())
    }

    /// Ends the connections of those who wait in vain.
    pub fn let_go(&self) {
        self.inner.lock().unwrap().held.clear();
    }

    /// Waits until somebody waits for an answer that does not come.
    pub fn until_held(&self) {
        let begun = Instant::now();
        while self.inner.lock().unwrap().held.is_empty() {
            assert!(begun.elapsed() < Duration::from_secs(30), "nobody asked");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

fn serve(stream: TcpStream, inner: &Mutex<Inner>) {
    let Some(asked) = request(&stream) else {
        return; // a connection that was opened in advance
    };
    let mut inner = inner.lock().unwrap();
    inner.asked.push(asked.clone());
    if asked.path.ends_with("/namespaces/slow") {
        inner.held.push(stream);
        return;
    }
    let (code, body) = answer(&asked, &mut inner);
    drop(inner);
    let body = body.to_string();
    let head = format!(
        "HTTP/1.1 {code} Answer\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let mut stream = stream;
    // Whoever asked may be gone.
    let _ = stream.write_all((head + &body).as_bytes());
}

fn request(stream: &TcpStream) -> Option<Asked> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split(' ');
    let method = words.next()?.to_owned();
    let target = words.next()?.to_owned();
    let (mut length, mut token) = (0, String::new());
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let Some((name, value)) = header.trim_end().split_once(": ") else {
            break;
        };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().unwrap(),
            "authorization" => token = value.trim_start_matches("Bearer ").to_owned(),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Asked {
        method,
        path: target.split('?').next().unwrap_or_default().to_owned(),
        token,
        body: serde_json::from_slice(&body).unwrap_or(Value::Null),
    })
}

fn answer(asked: &Asked, inner: &mut Inner) -> (u16, Value) {
    let missing = |what: &str| {
        let status = json!({
            "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 404,
            "reason": "NotFound", "message": format!("{what} not found"),
        });
        (404, status)
    };
    let parts: Vec<&str> = asked.path.trim_start_matches('/').split('/').collect();
    match (asked.method.as_str(), parts.as_slice()) {
        (
            "POST",
            [
                "api",
                "v1",
                "namespaces",
                _,
                "serviceaccounts",
                name,
                "token",
            ],
        ) => {
            if *name == "nobody" {
                return missing("serviceaccounts \"nobody\"");
            }
            inner.made += 1;
            let mut made = asked.body.clone();
            made["metadata"] = json!({"name": name});
            made["status"] = json!({
                "token": format!("{name}-token-{}", inner.made),
                "expirationTimestamp": "2099-01-01T00:00:00Z",
            });
            (201, made)
        }
        (method, ["api", "v1", "namespaces", _, "secrets", name]) => {
            let name = (*name).to_owned();
            match method {
                "PATCH" => {
                    inner.made += 1;
                    let mut made = asked.body.clone();
                    let metadata = &mut made["metadata"];
                    metadata["uid"] = json!(format!("uid-of-{name}"));
                    metadata["resourceVersion"] = json!(inner.made.to_string());
                    inner.secrets.insert(name, made.clone());
                    (200, made)
                }
                "DELETE" => {
                    inner.secrets.remove(&name);
                    (
                        200,
                        json!({"kind": "Status", "apiVersion": "v1", "status": "Success"}),
                    )
                }
                _ => match inner.secrets.get(&name) {
                    Some(found) => (200, found.clone()),
                    None => missing(&format!("secrets {name:?}")),
                },
            }
        }
        _ => missing(&asked.path),
    }
}
