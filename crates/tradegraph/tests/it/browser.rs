//! Pages in a real browser: headless Chromium opens them from a file, without a network, wide and as a phone, light and dark.
//! Chromium comes from the system (`apt-get install chromium`) or from `TRADEGRAPH_CHROMIUM`. Without one the test fails.

use crate::{Place, SMALL};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

fn browser() -> PathBuf {
    if let Some(named) = std::env::var_os("TRADEGRAPH_CHROMIUM") {
        return named.into();
    }
    let known = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome", "/snap/bin/chromium"];
    known.iter().map(PathBuf::from).find(|p| p.is_file()).unwrap_or_else(|| {
        panic!("no browser: apt-get install chromium, or set TRADEGRAPH_CHROMIUM to the program of one")
    })
}

/// What the browser saw of a page: written into its title by a script that is added to a copy of it.
const EYES: &str = "<script>
const seen = { errors: [] };
addEventListener('error', (e) => seen.errors.push(String(e.message)), true);
addEventListener('unhandledrejection', (e) => seen.errors.push(String(e.reason)));
for (const level of ['error', 'warn']) { console[level] = (...words) => seen.errors.push(words.join(' ')); }
addEventListener('load', async () => {
  const plots = [...document.querySelectorAll('.plot')].filter((p) => p.offsetParent);
  const drawn = (plot) => plot.querySelector('.main-svg');
  // A plot is drawn when it comes into view: the window is as tall as the page. What is in view is told with a frame, and the
  // browser's virtual clock may run out before it makes one: then the page is asked for its plots, as a printer asks.
  for (let i = 0; i < 60 && !plots.every(drawn); i += 1) await new Promise((done) => setTimeout(done, 50));
  if (typeof drawings !== 'undefined') [...drawings.keys()].forEach(bring);
  for (let i = 0; i < 40 && !plots.every(drawn); i += 1) await new Promise((done) => setTimeout(done, 50));
  seen.plots = plots.length;
  seen.empty = plots.filter((p) => !drawn(p)).map((p) => p.id);
  seen.wide = document.documentElement.scrollWidth - innerWidth;
  seen.background = getComputedStyle(document.body).backgroundColor;
  seen.asked = performance.getEntriesByType('resource').map((r) => r.name).filter((n) => !n.startsWith('data:'));
  document.title = JSON.stringify(seen);
});
</script>";

/// How a page is looked at.
struct Look {
    width: u32,
    dark: bool,
}

fn open(page: &Path, look: &Look) -> Value {
    let text = std::fs::read_to_string(page).unwrap();
    let watched = page.with_extension("watched.html");
    std::fs::write(&watched, text.replacen("<head>", &format!("<head>{EYES}"), 1)).unwrap();
    let profile = tempfile::tempdir().unwrap();
    let picture = page.with_extension(format!("{}.png", look.width));
    let chromium = |also: &str, page: &Path, tall: u32| {
        let mut c = Command::new(browser());
        c.args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--hide-scrollbars",
        ]);
        c.args(["--disable-background-networking", "--disable-component-update", "--disable-sync"]);
        // Whatever asks for a network finds none.
        c.args(["--proxy-server=127.0.0.1:9", "--virtual-time-budget=10000"]);
        c.arg(format!("--user-data-dir={}", profile.path().display()));
        c.arg(format!("--window-size={},{tall}", look.width));
        if look.dark {
            c.arg("--blink-settings=preferredColorScheme=0");
        }
        let out = c.arg(also).arg(format!("file://{}", page.display())).output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8_lossy(&out.stdout).into_owned()
    };
    let dom = chromium("--dump-dom", &watched, 20_000);
    chromium(&format!("--screenshot={}", picture.display()), page, 2400);
    let bytes = std::fs::metadata(&picture).unwrap().len();
    assert!(bytes > 20_000, "{}: a picture of {bytes} bytes is of an empty page", page.display());
    let title = dom.split("<title>").nth(1).and_then(|t| t.split("</title>").next()).unwrap();
    serde_json::from_str(title).unwrap_or_else(|e| panic!("{}: {e}: {title}", page.display()))
}

#[test]
fn pages_open_without_a_network_and_without_an_error() {
    let place = Place::new();
    place.write("a.toml", SMALL);
    place.write("b.toml", SMALL.replace("fast = 10", "fast = 20"));
    let page = |v: &Value, key: &str| place.path().join(v[key].as_str().unwrap());
    let first = place.json(&["backtest", "a.toml", "--name", "first"]);
    let second = place.json(&["backtest", "b.toml", "--name", "second"]);
    let (a, b) = (first["run"].as_str().unwrap(), second["run"].as_str().unwrap());
    let pages = [
        (page(&first, "report"), 8),
        (page(&place.json(&["report", a, b]), "report"), 2),
        (
            page(
                &place.json(&["plan", "--run", "last", "--start", "5000", "--target", "10000000", "--months", "24"]),
                "page",
            ),
            1,
        ),
    ];
    for (page, least) in &pages {
        let text = std::fs::read_to_string(page).unwrap();
        assert!(text.len() < 8_000_000, "{}: {} bytes", page.display(), text.len());
        let mut backgrounds = Vec::new();
        for look in [Look { width: 1280, dark: false }, Look { width: 500, dark: true }] {
            let seen = open(page, &look);
            let place = format!("{} at {}: {seen}", page.display(), look.width);
            assert_eq!(seen["errors"].as_array().unwrap().len(), 0, "{place}");
            assert_eq!(seen["empty"].as_array().unwrap().len(), 0, "{place}");
            assert_eq!(seen["asked"].as_array().unwrap().len(), 0, "{place}");
            assert!(seen["plots"].as_u64().unwrap() >= *least, "{place}");
            assert!(seen["wide"].as_i64().unwrap() <= 0, "the page is wider than its window: {place}");
            backgrounds.push(seen["background"].clone());
        }
        assert_ne!(backgrounds[0], backgrounds[1], "{}: dark looks like light", page.display());
    }
}
