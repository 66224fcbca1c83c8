//! The live page: a local server that simulates what its page asks for. It listens, by default, on this machine alone, answers only
//! who knows its token, writes no file, and computes on the threads that it is given.
//!
//! - [`http`]: requests and answers, as far as one page needs them
//! - [`guard`]: who is answered: token, host, origin
//! - [`desk`]: the scenarios that are open, and the work that is going on for each page
//! - [`routes`]: what each address answers
mod desk;
mod guard;
mod http;
mod routes;

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::cancel::CancelToken;
use crate::experiment::MemoryBudget;
use desk::Desk;
use guard::Guard;

/// Connections that are answered at a time; a page needs two or three.
const MOST_CONNECTIONS: usize = 32;

/// What a server is given.
#[derive(Debug)]
pub struct Options {
    /// The scenario files and their texts, in the order of the page.
    pub files: Vec<(PathBuf, String)>,
    /// The address to listen at.
    pub address: IpAddr,
    /// The port; 0 for any that is free.
    pub port: u16,
    /// The threads that simulate.
    pub pool: rayon::ThreadPool,
    /// The memory that runs may take.
    pub budget: MemoryBudget,
    /// Stops all work.
    pub cancel: CancelToken,
}

/// A server that listens.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    shared: Arc<Shared>,
}

/// What every connection needs.
#[derive(Debug)]
struct Shared {
    guard: Guard,
    desk: Desk,
    open: AtomicUsize,
}

impl Server {
    /// Listens; nobody is answered before [`Server::run`].
    ///
    /// # Errors
    /// The address cannot be listened at.
    pub fn bind(options: Options) -> io::Result<Server> {
        let listener = TcpListener::bind(SocketAddr::new(options.address, options.port))?;
        let guard = Guard::new(listener.local_addr()?);
        let desk = Desk::open(options);
        Ok(Server { listener, shared: Arc::new(Shared { guard, desk, open: AtomicUsize::new(0) }) })
    }

    /// The address of the page, with its token.
    pub fn url(&self) -> String {
        self.shared.guard.url()
    }

    /// Answers until the process ends; a thread each connection.
    pub fn run(self) {
        for stream in self.listener.incoming().flatten() {
            let shared = self.shared.clone();
            if shared.open.fetch_add(1, Ordering::Relaxed) >= MOST_CONNECTIONS {
                shared.open.fetch_sub(1, Ordering::Relaxed);
                continue;
            }
            std::thread::spawn(move || {
                // Whoever asked has gone away: there is no one to tell.
                let _ = routes::answer(&stream, &shared.guard, &shared.desk);
                shared.open.fetch_sub(1, Ordering::Relaxed);
            });
        }
    }
}
