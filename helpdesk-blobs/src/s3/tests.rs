//! S3 as far as a help desk uses it, spoken to a server that holds a map.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use helpdesk_core::Blobs as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::*;

/// What the server holds and was told.
#[derive(Debug, Default)]
struct Bucket {
    objects: Mutex<HashMap<String, Vec<u8>>>,
    requests: Mutex<Vec<String>>,
}

impl Bucket {
    fn answer(&self, head: &str, body: Vec<u8>) -> (&'static str, Vec<u8>) {
        let mut words = head.split_ascii_whitespace();
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default().to_owned());
        self.requests.lock().expect("nobody panicked").push(format!("{method} {path}"));
        let mut objects = self.objects.lock().expect("nobody panicked");
        if !head.contains("AWS4-HMAC-SHA256") {
            return ("403 Forbidden", Vec::new());
        }
        match method {
            "PUT" => {
                objects.insert(path, body);
                ("200 OK", Vec::new())
            }
            "GET" => match objects.get(&path) {
                Some(content) => ("200 OK", content.clone()),
                None => ("404 Not Found", b"<Error><Code>NoSuchKey</Code></Error>".to_vec()),
            },
            // As S3 does, whether or not there was anything.
            "DELETE" => {
                objects.remove(&path);
                ("204 No Content", Vec::new())
            }
            _ => ("405 Method Not Allowed", Vec::new()),
        }
    }

    /// Answers one request after another on a connection, until it is closed.
    async fn serve(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut read = Vec::new();
        loop {
            let end = loop {
                if let Some(end) = read.windows(4).position(|window| window == b"\r\n\r\n") {
                    break end + 4;
                }
                if stream.read_buf(&mut read).await? == 0 {
                    return Ok(());
                }
            };
            let head = String::from_utf8_lossy(&read[..end]).into_owned();
            let length = head
                .lines()
                .filter_map(|line| line.split_once(':'))
                .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
                .and_then(|(_, value)| value.trim().parse().ok())
                .unwrap_or(0);
            while read.len() < end + length {
                stream.read_buf(&mut read).await?;
            }
            let body = read[end..end + length].to_vec();
            read.drain(..end + length);
            let (status, content) = self.answer(&head, body);
            let head = format!(
                "HTTP/1.1 {status}\r\nContent-Length: {}\r\nETag: \"1\"\r\nLast-Modified: Wed, 15 Jan 2025 09:00:00 GMT\r\n\r\n",
                content.len()
            );
            stream.write_all(head.as_bytes()).await?;
            stream.write_all(&content).await?;
        }
    }
}

async fn bucket() -> (Arc<Bucket>, AmazonS3Builder) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let bucket = Arc::new(Bucket::default());
    let served = Arc::clone(&bucket);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let served = Arc::clone(&served);
            tokio::spawn(async move { served.serve(stream).await });
        }
    });
    let builder = AmazonS3Builder::new()
        .with_bucket_name("bucket")
        .with_endpoint(format!("http://{address}"))
        .with_region("eu-central-1")
        .with_access_key_id("id")
        .with_secret_access_key("a very secret key");
    (bucket, builder)
}

#[tokio::test]
async fn files_are_put_got_and_deleted_below_the_prefix() {
    let (bucket, builder) = bucket().await;
    let blobs = open(builder.with_allow_http(true)).expect("a store").below("desk").expect("a prefix");
    let content = Bytes::from(vec![7; 3_000_000]);
    blobs.put("org/attachments/1", content.clone()).await.expect("put");
    assert_eq!(blobs.get("org/attachments/1").await.expect("got"), Some(content));
    assert_eq!(blobs.get("org/attachments/2").await.expect("got"), None);
    blobs.delete("org/attachments/1").await.expect("deleted");
    blobs.delete("org/attachments/1").await.expect("deleted once more");
    assert_eq!(blobs.get("org/attachments/1").await.expect("got"), None);
    assert!(blobs.get("../other").await.is_err());
    let requests = bucket.requests.lock().expect("nobody panicked").clone();
    assert_eq!(requests[0], "PUT /bucket/desk/org/attachments/1");
    assert!(requests.iter().all(|request| request.contains("/bucket/desk/org/attachments/")));
}

#[tokio::test]
async fn nothing_is_sent_in_the_clear_unless_it_is_allowed() {
    let (bucket, builder) = bucket().await;
    let blobs = open(builder).expect("a store");
    assert!(blobs.put("a", Bytes::from_static(b"secret")).await.is_err());
    assert!(bucket.requests.lock().expect("nobody panicked").is_empty());
}

#[tokio::test]
async fn debugging_tells_no_credentials() {
    let (_, builder) = bucket().await;
    assert_eq!(format!("{:?}", open(builder).expect("a store")), "ObjectBlobs(AmazonS3(bucket), \"\")");
}
