//! Pages in headless Chromium: nothing overflows, links resolve, contrast, no request leaves, nothing planted runs.
//!
//! Without Chromium these tests say that they were left out; `RCA_BROWSER=required` makes that a failure.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    path::PathBuf,
    process::Command,
    sync::{Arc, Mutex},
    thread,
};

use serde::Deserialize;

use crate::pages::{captures, hostile};

/// What the harness found out about a page at one width.
#[derive(Debug, Deserialize)]
struct Found {
    page: String,
    width: u32,
    scheme: String,
    measured: usize,
    links: usize,
    problems: Vec<String>,
}

/// The browser, or a line on stderr about which test was left out.
fn browser(test: &str) -> Option<PathBuf> {
    let names = ["chromium", "chromium-browser", "google-chrome", "chrome"];
    let found = std::env::var_os("PATH").and_then(|path| {
        std::env::split_paths(&path)
            .flat_map(|dir| names.map(|name| dir.join(name)))
            .find(|file| file.is_file())
    });
    if found.is_none() {
        assert!(
            std::env::var("RCA_BROWSER").as_deref() != Ok("required"),
            "Chromium is required and there is none"
        );
        // Not by a macro: what a passing test prints with one is not shown.
        let _ = writeln!(std::io::stderr(), "left out, since there is no Chromium: {test}");
    }
    found
}

/// Answers with these pages, and remembers every request, whatever host it was meant for.
fn serve(pages: BTreeMap<String, String>) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            answer(stream, &pages, &log);
        }
    });
    (port, asked)
}

fn answer(mut stream: TcpStream, pages: &BTreeMap<String, String>, asked: &Mutex<Vec<String>>) {
    let mut line = String::new();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let read = reader.read_line(&mut line);
    // Browsers open connections ahead of need and send nothing over some.
    if !matches!(read, Ok(length) if length > 0) {
        return;
    }
    let (mut header, mut host) = (String::new(), String::new());
    while reader.read_line(&mut header).is_ok_and(|length| length > 2) {
        if let Some(name) = header.to_ascii_lowercase().strip_prefix("host:") {
            name.trim().clone_into(&mut host);
        }
        header.clear();
    }
    let path = line.split_whitespace().nth(1).unwrap_or_default().to_owned();
    let body = pages.get(&path);
    // The browser itself asks its makers for the time and for updates.
    if ![".google.com", ".googleapis.com", ".gvt1.com"]
        .iter()
        .any(|own| host.ends_with(own))
    {
        asked.lock().unwrap().push(line.trim().to_owned());
    }
    let (status, body) = body.map_or(("404 Not Found", ""), |body| ("200 OK", body.as_str()));
    let _ = write!(
        stream,
        "HTTP/1.1 {status}\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
}

/// Chromium with a profile of its own, from which nothing reaches another host.
fn chromium(browser: &PathBuf, port: u16, profile: &std::path::Path) -> Command {
    let mut command = Command::new(browser);
    command.args([
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        &format!("--host-resolver-rules=MAP * 127.0.0.1:{port}, EXCLUDE 127.0.0.1"),
        &format!("--user-data-dir={}", profile.display()),
    ]);
    command
}

#[test]
fn pages_look_right_and_nothing_leaves_them() {
    let Some(browser) = browser("pages_look_right_and_nothing_leaves_them") else {
        return;
    };
    let mut pages: BTreeMap<String, String> = captures()
        .iter()
        .map(|(name, page)| (format!("/{name}.html"), page.clone()))
        .collect();
    pages.extend(
        hostile()
            .into_iter()
            .map(|(name, page)| (format!("/hostile-{name}.html"), page)),
    );
    let names: Vec<&String> = pages.keys().collect();
    let list = serde_json::to_string(&names).unwrap();
    let count = names.len();
    let harness = include_str!("harness.html").replace("of PAGES", &format!("of {list}"));
    pages.insert("/harness.html".to_owned(), harness);
    let expected: Vec<String> = pages.keys().map(|path| format!("GET {path} HTTP/1.1")).collect();
    let (port, asked) = serve(pages);
    // The two values of Blink's setting: 0 is dark, 1 is light.
    for (setting, scheme) in [(0, "dark"), (1, "light")] {
        let profile = tempfile::tempdir().unwrap();
        let output = chromium(&browser, port, profile.path())
            .arg(format!("--blink-settings=preferredColorScheme={setting}"))
            .arg("--dump-dom")
            .arg(format!("http://127.0.0.1:{port}/harness.html"))
            .output()
            .unwrap();
        let dom = String::from_utf8_lossy(&output.stdout).into_owned();
        let found = dom
            .split_once("<pre id=\"found\">")
            .and_then(|(_, rest)| rest.split_once("</pre>"))
            .map(|(text, _)| {
                text.replace("&lt;", "<")
                    .replace("&gt;", ">")
                    .replace("&amp;", "&")
            })
            .filter(|text| !text.is_empty())
            .unwrap_or_else(|| {
                panic!(
                    "the harness did not run: {dom}\n{}",
                    String::from_utf8_lossy(&output.stderr)
                )
            });
        let found: Vec<Found> = serde_json::from_str(&found).unwrap();
        assert_eq!(found.len(), count * 2);
        for page in found {
            assert_eq!(page.scheme, scheme);
            assert_eq!(
                page.problems,
                Vec::<String>::new(),
                "{} at {} px, {scheme}",
                page.page,
                page.width
            );
            assert!(page.measured > 100, "{page:?}: hardly anything was looked at");
            assert!(page.links > 10 || page.page.contains("everything"), "{page:?}");
        }
    }
    let asked = asked.lock().unwrap();
    for request in asked.iter() {
        assert!(
            expected.contains(request) || request.starts_with("GET /favicon.ico"),
            "a page asked for {request}"
        );
    }
}

#[test]
fn a_page_is_printed_on_two_sheets() {
    let Some(browser) = browser("a_page_is_printed_on_two_sheets") else {
        return;
    };
    let pages = captures()
        .iter()
        .map(|(name, page)| (format!("/{name}.html"), page.clone()))
        .collect();
    let (port, _) = serve(pages);
    for (name, _) in captures() {
        let profile = tempfile::tempdir().unwrap();
        let file = profile.path().join("page.pdf");
        let output = chromium(&browser, port, profile.path())
            .arg("--no-pdf-header-footer")
            .arg(format!("--print-to-pdf={}", file.display()))
            .arg(format!("http://127.0.0.1:{port}/{name}.html"))
            .output()
            .unwrap();
        let pdf = std::fs::read(&file).unwrap_or_else(|error| {
            panic!(
                "{name}: no PDF: {error}\n{}",
                String::from_utf8_lossy(&output.stderr)
            )
        });
        let text = String::from_utf8_lossy(&pdf);
        let sheets = text.matches("/Type /Page\n").count();
        assert!((1..=2).contains(&sheets), "{name}: {sheets} sheets");
    }
}
