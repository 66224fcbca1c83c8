//! `kneepoint serve FILE…`.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::mpsc;

use super::{Answer, DONE, Failure, Global, Show, memory, progress};
use crate::cancel::CancelToken;
use crate::serve::{Options, Server};

/// Open scenarios as a live page: move a value, and figures and charts follow.
///
/// Listens on this machine alone and prints the address of the page, which holds a random token. Nothing is written: the page
/// hands out the changed scenario and the report for saving. Ctrl-C ends it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  kneepoint serve scenarios/quickstart.toml")]
pub(super) struct Arguments {
    /// The scenario files; several are shown side by side.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Port to listen at; any that is free if not given.
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    port: u16,
    /// Address to listen at, instead of this machine alone. Whoever has the page's address can then use it.
    #[arg(long, value_name = "ADDRESS", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST), hide_default_value = true)]
    address: IpAddr,
}

pub(super) fn execute(
    arguments: &Arguments,
    global: &Global,
    show: &mut Show<'_>,
) -> Result<Answer, Failure> {
    if let Some(setting) = global.set.first() {
        let message =
            format!("error: `--set {setting}` has no effect on `serve`\n  change the value in the page");
        return Err(Failure::bad_input(message));
    }
    let read = |path: &PathBuf| match std::fs::read_to_string(path) {
        Ok(text) => Ok((path.clone(), text)),
        Err(error) => Err(Failure::bad_input(format!("error: cannot read `{}`: {error}", path.display()))),
    };
    let files = arguments.files.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let cancel = CancelToken::default();
    let (stop, stopped) = mpsc::channel();
    let token = cancel.clone();
    ctrlc::set_handler(move || {
        token.cancel();
        // The receiver waits as long as the command lives.
        let _ = stop.send(());
    })
    .map_err(|error| Failure::could_not(format!("cannot watch for Ctrl-C: {error}")))?;
    let options = Options {
        files,
        address: arguments.address,
        port: arguments.port,
        pool: progress::pool(global)?,
        budget: memory::budget(progress::threads(global)),
        cancel,
    };
    let server = Server::bind(options).map_err(|error| {
        Failure::could_not(format!("cannot listen at {}:{}: {error}", arguments.address, arguments.port))
    })?;
    let warning = match arguments.address.is_loopback() {
        true => "",
        false => "warning: other machines can reach this server; its address is all they need",
    };
    show(&Answer {
        stdout: format!("{}\nCtrl-C ends it.\n", server.url()),
        stderr: warning.to_owned(),
        status: DONE,
    });
    std::thread::spawn(move || server.run());
    // Ends with Ctrl-C; an error would mean that nothing watches for it any more.
    let _ = stopped.recv();
    Ok(Answer::default())
}
