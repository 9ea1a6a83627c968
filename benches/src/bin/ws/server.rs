//! A server in a process of its own, which is told what to do by lines.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::Failed;

/// Which server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The help desk's.
    Own,
    /// A bare one.
    Bare,
}

/// The server. It ends with this value.
pub(crate) struct Server {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    /// Where it listens.
    pub port: u16,
    /// With what its clients come.
    pub tokens: Vec<String>,
}

impl Server {
    pub(crate) fn start(kind: Kind) -> Result<Self, Failed> {
        let name = if kind == Kind::Own { "own" } else { "bare" };
        let mut child = Command::new(std::env::current_exe()?)
            .arg(name)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (to, from) = (child.stdin.take(), child.stdout.take());
        let (to, from) = (to.ok_or("no pipe")?, BufReader::new(from.ok_or("no pipe")?));
        let mut server = Self { child, to, from, port: 0, tokens: Vec::new() };
        let line = server.line()?;
        let mut words = line.split(' ').map(str::to_owned);
        server.port = words.next().ok_or("no port")?.parse()?;
        server.tokens = words.collect();
        Ok(server)
    }

    /// Has it do something, and waits until it says that it has.
    pub(crate) fn ask(&mut self, what: &str) -> Result<(), Failed> {
        writeln!(self.to, "{what}")?;
        self.to.flush()?;
        self.line().map(drop)
    }

    fn line(&mut self) -> Result<String, Failed> {
        let mut line = String::new();
        self.from.read_line(&mut line)?;
        Ok(line.trim().to_owned())
    }

    /// What it has in memory, in KiB.
    pub(crate) fn memory(&self) -> Result<f64, Failed> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).ok_or("no VmRSS")?;
        Ok(line.split_whitespace().nth(1).ok_or("no figure")?.parse()?)
    }

    /// How long it has kept processors busy, in microseconds.
    pub(crate) fn busy(&self) -> Result<f64, Failed> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // Behind the name, which may hold anything; times are in hundredths of a second.
        let (_, fields) = stat.rsplit_once(')').ok_or("no name")?;
        let times = fields.split_whitespace().skip(11).take(2).map(str::parse::<f64>);
        Ok(times.sum::<Result<f64, _>>()? * 10_000.0)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A process that has ended already is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a server is told to do.
pub(crate) enum Order {
    /// Make ready for so many messages.
    Prepare(usize),
    /// Send them, as fast as they go.
    Go,
    /// Send so many a second, for so many seconds.
    Steady(usize, usize),
}

/// Says where a server listens, and hands its orders to it.
pub(crate) async fn obey(
    port: u16,
    tokens: &[String],
    mut obeyed: impl AsyncFnMut(Order) -> Result<(), Failed>,
) -> Result<(), Failed> {
    println!("{port} {}", tokens.join(" "));
    loop {
        let line = tokio::task::spawn_blocking(|| {
            let mut line = String::new();
            std::io::stdin().read_line(&mut line).map(|_| line)
        });
        let line = line.await??;
        let words: Vec<_> = line.split_whitespace().collect();
        let order = match words[..] {
            ["prepare", count] => Order::Prepare(count.parse()?),
            ["go"] => Order::Go,
            ["steady", rate, seconds] => Order::Steady(rate.parse()?, seconds.parse()?),
            _ => return Ok(()),
        };
        obeyed(order).await?;
        println!("done");
    }
}

/// Nanoseconds by a clock that all processes share.
pub(crate) fn nanoseconds() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "two processes compare their times")]
    let now = std::time::SystemTime::now();
    let since = now.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or_default()
}
