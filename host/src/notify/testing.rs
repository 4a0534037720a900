//! Receivers for tests: one that speaks HTTP and one that speaks SMTP, each on a free port of loopback.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// What a receiver was sent.
#[derive(Debug, Clone)]
pub struct Heard {
    head: String,
    pub body: Vec<u8>,
}

impl Heard {
    pub fn header(&self, name: &str) -> String {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(':'));
        let line = lines.find(|(given, _)| given.eq_ignore_ascii_case(name));
        line.map_or_else(String::new, |(_, value)| value.trim().to_owned())
    }
}

/// A receiver of webhooks.
#[derive(Clone)]
pub struct HttpSink {
    pub address: SocketAddr,
    pub connections: Arc<AtomicUsize>,
    heard: Arc<Mutex<Vec<Heard>>>,
    answer: Arc<Mutex<Option<String>>>,
}

impl HttpSink {
    /// A receiver that answers with this status line, and headers behind it; without one it never answers.
    pub async fn start(answer: Option<&str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let sink = Self {
            address: listener.local_addr().unwrap(),
            connections: Arc::default(),
            heard: Arc::default(),
            answer: Arc::new(Mutex::new(answer.map(str::to_owned))),
        };
        let serving = sink.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                serving.connections.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serving.clone().converse(stream));
            }
        });
        sink
    }

    pub fn answers(&self, answer: &str) {
        *self.answer.lock().unwrap() = Some(answer.to_owned());
    }

    pub fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }

    async fn converse(self, stream: TcpStream) {
        let mut stream = BufReader::new(stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if stream.read_line(&mut head).await.unwrap_or(0) == 0 {
                return;
            }
        }
        let mut heard = Heard { head, body: Vec::new() };
        heard.body = vec![0; heard.header("content-length").parse().unwrap_or(0)];
        stream.read_exact(&mut heard.body).await.unwrap();
        self.heard.lock().unwrap().push(heard);
        let answer = self.answer.lock().unwrap().clone();
        let Some(answer) = answer else { return std::future::pending().await };
        let answer = format!("HTTP/1.1 {answer}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        // A sender that has gone hears no answer.
        let _ = stream.write_all(answer.as_bytes()).await;
    }
}

/// A mail server that keeps what it is given: envelope and letter of each mail.
#[derive(Clone)]
pub struct MailSink {
    pub port: u16,
    letters: Arc<Mutex<Vec<String>>>,
}

impl MailSink {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let sink = Self { port: listener.local_addr().unwrap().port(), letters: Arc::default() };
        let serving = sink.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serving.clone().converse(stream));
            }
        });
        sink
    }

    pub fn letters(&self) -> Vec<String> {
        self.letters.lock().unwrap().clone()
    }

    async fn converse(self, stream: TcpStream) {
        let mut stream = BufReader::new(stream);
        let (mut letter, mut is_data) = (String::new(), false);
        stream.write_all(b"220 sink\r\n").await.unwrap();
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
                return;
            }
            let answer = if is_data {
                if line != ".\r\n" {
                    letter.push_str(&line);
                    continue;
                }
                is_data = false;
                self.letters.lock().unwrap().push(std::mem::take(&mut letter));
                "250 kept"
            } else if line.starts_with("DATA") {
                is_data = true;
                "354 go on"
            } else if line.starts_with("QUIT") {
                "221 bye"
            } else {
                if line.starts_with("RCPT") {
                    letter.push_str(&line);
                }
                "250 fine"
            };
            stream.write_all(format!("{answer}\r\n").as_bytes()).await.unwrap();
        }
    }
}
