//! A client that sends whatever bytes it is given, for requests that no library would send.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::client::Reply;
use crate::server::PATIENCE;

/// A connection.
#[derive(Debug)]
pub struct Raw {
    stream: TcpStream,
    unread: Vec<u8>,
}

impl Raw {
    /// Connects.
    ///
    /// # Panics
    ///
    /// If nobody listens.
    pub async fn connect(address: SocketAddr) -> Self {
        Self::try_connect(address).await.expect("a connection")
    }

    /// Connects, if somebody listens.
    ///
    /// # Errors
    ///
    /// Where nobody does.
    pub async fn try_connect(address: SocketAddr) -> std::io::Result<Self> {
        Ok(Self { stream: TcpStream::connect(address).await?, unread: Vec::new() })
    }

    /// Sends bytes. Whether they arrive shows in the answer: a server may refuse before it has read everything.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.stream.write_all(bytes.as_ref()).await.is_ok()
    }

    /// One request and its answer, on a connection of its own: the lines of a head, and a body as it is.
    ///
    /// # Panics
    ///
    /// If nobody listens.
    pub async fn exchange(address: SocketAddr, head: &[&str], body: &[u8]) -> Option<Reply> {
        let mut connection = Self::connect(address).await;
        let head = format!("{}\r\nHost: desk.test\r\n\r\n", head.join("\r\n"));
        if connection.send(head).await {
            connection.send(body).await;
        }
        connection.reply().await
    }

    /// Says that nothing more will be sent.
    pub async fn finish(&mut self) {
        drop(self.stream.shutdown().await);
    }

    /// The next answer, or `None` where the connection ends first.
    ///
    /// # Panics
    ///
    /// If neither happens, or what comes is no HTTP.
    pub async fn reply(&mut self) -> Option<Reply> {
        tokio::time::timeout(PATIENCE, self.read(true)).await.expect("an answer or an end")
    }

    /// The next answer, to a `HEAD` request.
    ///
    /// # Panics
    ///
    /// As [`Raw::reply`].
    pub async fn reply_to_head(&mut self) -> Option<Reply> {
        tokio::time::timeout(PATIENCE, self.read(false)).await.expect("an answer or an end")
    }

    /// Whether the server ends the connection without saying anything more.
    pub async fn ends(&mut self) -> bool {
        self.reply().await.is_none()
    }

    async fn read(&mut self, with_body: bool) -> Option<Reply> {
        loop {
            let end = self.find(b"\r\n\r\n").await?;
            let head = String::from_utf8(self.unread.drain(..end + 4).collect()).expect("a head in ASCII");
            let mut lines = head.trim_end().split("\r\n");
            let status = lines.next()?.split(' ').nth(1)?.parse().expect("a status");
            let mut headers = HeaderMap::new();
            for (name, value) in lines.filter_map(|line| line.split_once(':')) {
                let name = HeaderName::try_from(name).expect("a header's name");
                headers.append(name, HeaderValue::try_from(value.trim()).expect("a header's value"));
            }
            if status == 100 {
                continue;
            }
            let mut reply = Reply { status, headers, body: Bytes::new() };
            if with_body && !matches!(status, 204 | 304) {
                reply.body = self.body(&reply).await?.into();
            }
            return Some(reply);
        }
    }

    async fn body(&mut self, reply: &Reply) -> Option<Vec<u8>> {
        if reply.header("transfer-encoding").eq_ignore_ascii_case("chunked") {
            let mut body = Vec::new();
            loop {
                let end = self.find(b"\r\n").await?;
                let line: Vec<u8> = self.unread.drain(..end + 2).collect();
                let size = usize::from_str_radix(std::str::from_utf8(&line).ok()?.trim(), 16).ok()?;
                let chunk = self.take(size + 2).await?;
                body.extend_from_slice(&chunk[..size]);
                if size == 0 {
                    return Some(body);
                }
            }
        }
        match reply.header("content-length").parse() {
            Ok(length) => self.take(length).await,
            Err(_) => {
                while self.more().await {}
                Some(std::mem::take(&mut self.unread))
            }
        }
    }

    async fn take(&mut self, length: usize) -> Option<Vec<u8>> {
        while self.unread.len() < length {
            if !self.more().await {
                return None;
            }
        }
        Some(self.unread.drain(..length).collect())
    }

    async fn find(&mut self, wanted: &[u8]) -> Option<usize> {
        loop {
            if let Some(place) = self.unread.windows(wanted.len()).position(|window| window == wanted) {
                return Some(place);
            }
            if !self.more().await {
                return None;
            }
        }
    }

    async fn more(&mut self) -> bool {
        let mut some = [0; 16 * 1024];
        match self.stream.read(&mut some).await {
            Ok(0) | Err(_) => false,
            Ok(read) => {
                self.unread.extend_from_slice(&some[..read]);
                true
            }
        }
    }
}
