//! The playground: the page with the engine in it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;

use serde_json::json;

use super::{Browser, holds_at_all_sizes};

/// A server of the files of a folder, until the process ends.
fn serve(folder: PathBuf) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut head = [0; 8192];
            let length = stream.read(&mut head).unwrap_or(0);
            let head = String::from_utf8_lossy(&head[..length]).into_owned();
            let asked = head.split(' ').nth(1).unwrap_or("/").trim_start_matches('/');
            let (name, kind) = match asked {
                "kneepoint.wasm" => (asked, "application/wasm"),
                _ => ("index.html", "text/html; charset=utf-8"),
            };
            let body = std::fs::read(folder.join(name)).unwrap_or_default();
            let length = body.len();
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
            );
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
        }
    });
    address
}

#[test]
fn the_engine_in_the_page_answers_a_slider_without_a_server() {
    let Some(folder) = std::env::var_os("KNEEPOINT_PLAYGROUND").map(PathBuf::from) else {
        eprintln!("skipped: KNEEPOINT_PLAYGROUND names no folder that web/playground/build has filled");
        return;
    };
    let Some(mut browser) = Browser::start() else { return };
    let address = serve(folder);
    browser.window(1280, 900, false);
    browser.open(&format!("http://{address}/#walkthrough"));
    let done = "document.querySelector('header .note')?.textContent.startsWith('done')";
    browser.wait(done);
    assert_eq!(browser.text("document.querySelector('h1').textContent"), "walkthrough");
    holds_at_all_sizes(&mut browser, "playground");
    browser.window(1280, 900, false);
    // A text of its own, and a slider.
    let small = "[arrivals]\nkind = \"poisson\"\nrate = 8\n[service]\ntime = \"1s\"\n[autoscaler]\nkind = \"fixed\"\ninstances = 12\n\
                 [cost]\nper_instance_hour = 2\n[slo]\nlatency = \"3s\"\n[run]\nduration = \"5m\"\nreplications = 2\n\
                 [sweep.parameters]\n\"autoscaler.instances\" = [10, 12]\n";
    browser.value(&format!(
        "(() => {{ const text = document.querySelector('textarea'); text.value = {}; text.dispatchEvent(new Event('input')); }})()",
        json!(small)
    ));
    browser.wait("document.querySelectorAll('[data-point]').length === 2");
    browser.wait(done);
    let cost = "document.querySelector('.kpi .value').textContent";
    let before = browser.text(cost);
    let field = "document.querySelector(\"input[type=range][data-path='autoscaler.instances']\")";
    browser.value(&format!("(() => {{ {field}.value = 11; {field}.dispatchEvent(new Event('input')); }})()"));
    browser.wait(&format!("{cost} !== {}", json!(before)));
    browser.wait("document.querySelector('textarea').value.includes('instances = 11')");
    // Another scenario by the list.
    browser.value(
        "(() => { const list = document.querySelector('.playground select'); \
         list.value = [...list.options].findIndex((each) => each.textContent === 'quickstart'); \
         list.dispatchEvent(new Event('change')); })()",
    );
    browser.wait("document.querySelector('h1').textContent === 'quickstart'");
    assert!(browser.complaints.is_empty(), "{:?}", browser.complaints);
}
