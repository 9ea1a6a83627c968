//! A wire to the server that can be cut at the worst moment: when the server has done what it was told, and before
//! it is heard.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

#[derive(Debug, Default)]
struct Wire {
    server: String,
    /// What messages hold whose answers are not to be heard, and how many of them are not.
    cuts: Mutex<Vec<(Vec<u8>, usize)>>,
    /// Whether nobody is let through after a cut.
    down: AtomicBool,
    is_down: AtomicBool,
}

/// The wire. Dropped, it is cut for good.
#[derive(Debug)]
pub(crate) struct Proxy {
    wire: Arc<Wire>,
    /// The address of the server at the other end.
    pub(crate) url: String,
    // Aborts its tasks when dropped.
    _tasks: JoinSet<()>,
}

impl Proxy {
    /// A wire to the server of an address.
    pub(crate) async fn to(url: &str) -> Self {
        let (scheme, rest) = url.split_once("://").expect("an address");
        let (host, database) = rest.split_once('/').expect("an address with a database");
        let (user, server) = host.rsplit_once('@').map_or(("", host), |(user, server)| (user, server));
        let server = if server.contains(':') { server.to_owned() } else { format!("{server}:5432") };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let wire = Arc::new(Wire { server, ..Wire::default() });
        let mut tasks = JoinSet::new();
        tasks.spawn({
            let wire = Arc::clone(&wire);
            async move {
                let mut connections = JoinSet::new();
                while let Ok((client, _)) = listener.accept().await {
                    connections.spawn(carry(client, Arc::clone(&wire)));
                }
            }
        });
        // In the clear, as far as the wire goes.
        let user = if user.is_empty() { String::new() } else { format!("{user}@") };
        let database = database.split('?').next().unwrap_or(database);
        let url = format!("{scheme}://{user}127.0.0.1:{port}/{database}?sslmode=disable");
        Self { wire, url, _tasks: tasks }
    }

    /// Cuts the connection that next tells the server a word, when the server has done it; so many times.
    pub(crate) fn cut(&self, word: impl AsRef<[u8]>, times: usize) {
        self.wire.cuts.lock().expect("a word").push((word.as_ref().to_vec(), times));
    }

    /// Cuts no more. Answers how many cuts were still to come.
    pub(crate) fn leave(&self) -> usize {
        std::mem::take(&mut *self.wire.cuts.lock().expect("a word")).into_iter().map(|(_, times)| times).sum()
    }

    /// The same once, and lets nobody through afterwards.
    pub(crate) fn cut_for_good(&self, word: &str) {
        self.wire.down.store(true, Ordering::SeqCst);
        self.cut(word, 1);
    }

    /// Lets everybody through again.
    pub(crate) fn mend(&self) {
        self.wire.down.store(false, Ordering::SeqCst);
        self.wire.is_down.store(false, Ordering::SeqCst);
    }
}

async fn carry(client: TcpStream, wire: Arc<Wire>) {
    if wire.is_down.load(Ordering::SeqCst) {
        return;
    }
    let Ok(server) = TcpStream::connect(&wire.server).await else { return };
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    let doomed = AtomicBool::new(false);
    // Whichever ends first ends both.
    tokio::select! {
        _ = there(from_client, to_server, &wire, &doomed) => {}
        _ = back(from_server, to_client, &wire, &doomed) => {}
    }
}

async fn there(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    wire: &Wire,
    doomed: &AtomicBool,
) -> io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let count = from.read(&mut buffer).await?;
        if count == 0 || wire.is_down.load(Ordering::SeqCst) {
            return Ok(());
        }
        for (word, times) in &mut *wire.cuts.lock().expect("a word") {
            if *times > 0 && buffer[..count].windows(word.len()).any(|part| part == word) {
                *times -= 1;
                doomed.store(true, Ordering::SeqCst);
            }
        }
        to.write_all(&buffer[..count]).await?;
    }
}

async fn back(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    wire: &Wire,
    doomed: &AtomicBool,
) -> io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let count = from.read(&mut buffer).await?;
        if count == 0 {
            return Ok(());
        }
        if !doomed.load(Ordering::SeqCst) {
            to.write_all(&buffer[..count]).await?;
        } else if count >= 6 && buffer[count - 6..count - 1] == *b"Z\0\0\0\x05" {
            // Ready for the next, and so done with this.
            if wire.down.load(Ordering::SeqCst) {
                wire.is_down.store(true, Ordering::SeqCst);
            }
            return Ok(());
        }
    }
}
