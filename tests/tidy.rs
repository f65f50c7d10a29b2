//! The house rules that a machine can keep: who may import whom, which files stay pure, who may read the clock, how
//! large a file may grow. `ARCHITECTURE.md` says why.

use std::fs;
use std::path::{Path, PathBuf};

/// A file may have this many lines before its tests begin.
const MAX_LINES: usize = 400;

/// What a pure file does without: the runtime, the network, the database, the file system, the process, the clock.
const IMPURE: [&str; 13] = [
    "tokio",
    "sqlx",
    "lettre::transport",
    "async_imap",
    "indicatif",
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "std::thread",
    "Instant::now",
    "println!",
    "async fn",
];

const CLOCKS: [&str; 3] = ["Utc::now", "Local::now", "SystemTime::now"];

/// Folders and files that have to stay pure; any other file can promise it with the word “Pure” in its `//!` header.
const PURE: [&str; 6] = [
    "src/form",
    "src/message",
    "src/period.rs",
    "src/ledger/obligation.rs",
    "src/ledger/merge",
    "src/jobs/schedule.rs",
];

#[test]
fn the_house_is_tidy() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let order = module_order(&fs::read_to_string(root.join("src/lib.rs")).unwrap());
    assert!(order.len() > 10, "src/lib.rs lists the modules: {order:?}");
    let files = rust_files(root);
    assert!(files.len() > 30, "found only {} files", files.len());
    for pure in PURE {
        assert!(root.join(pure).exists(), "{pure} is listed as pure but does not exist");
    }
    let texts: Vec<(String, String)> = files
        .iter()
        .map(|path| {
            let name = path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
            (name, fs::read_to_string(path).unwrap())
        })
        .collect();
    let tests: Vec<String> = texts.iter().flat_map(|(name, text)| test_files(name, text)).collect();
    let offences: Vec<String> = texts
        .iter()
        .flat_map(|(name, text)| {
            // A module that only exists for tests is judged as the files under tests/ are.
            let name = if tests.contains(name) { name.replacen("src/", "tests/", 1) } else { name.clone() };
            offences(&name, text, &order)
        })
        .collect();
    assert!(offences.is_empty(), "\n{}\n", offences.join("\n"));
}

/// `src/db.rs` lists the migrations by hand, so that one in the folder could be forgotten there.
#[test]
fn every_migration_is_listed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let listed = fs::read_to_string(root.join("src/db.rs")).unwrap();
    for entry in fs::read_dir(root.join("migrations")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(listed.contains(&format!("../migrations/{name}")), "src/db.rs does not list {name}");
    }
}

/// Everything that one file does against the rules, each with file and line.
fn offences(name: &str, text: &str, order: &[String]) -> Vec<String> {
    let code = blank_comments_and_strings(text);
    let body: Vec<&str> = code.lines().take(code.lines().count() - test_lines(&code)).collect();
    let mut found = Vec::new();
    let mut report = |line: usize, what: String| found.push(format!("{name}:{}: {what}", line + 1));
    for (i, line) in text.lines().enumerate() {
        for mark in [concat!("TO", "DO"), concat!("FIX", "ME")] {
            if line.contains(mark) {
                report(i, format!("{mark} left behind"));
            }
        }
        if let Some(address) = foreign_address(line) {
            report(i, format!("{address}: only addresses under .example and .test may stand in the code"));
        }
    }
    for (i, line) in code.lines().enumerate() {
        for left in ["dbg!(", "todo!(", "unimplemented!(", "allow(dead_code)", "#[ignore"] {
            if line.contains(left) {
                report(i, format!("`{left}` left behind"));
            }
        }
    }
    if !name.starts_with("src/") {
        return found;
    }
    if body.len() > MAX_LINES {
        report(MAX_LINES, format!("{} lines before the tests; {MAX_LINES} are allowed", body.len()));
    }
    let pure = is_pure(name, text);
    for (i, module) in imported_modules(&body.join("\n")) {
        if !may_import(name, &module, order) {
            report(i, format!("imports `{module}`, which stands below it in src/lib.rs"));
        }
        if pure && ["clock", "db"].contains(&module.as_str()) {
            report(i, format!("`{module}` in a pure file"));
        }
    }
    for (i, line) in body.iter().enumerate() {
        if name != "src/clock.rs" {
            for clock in CLOCKS.iter().filter(|c| line.contains(*c)) {
                report(i, format!("{clock}: only src/clock.rs reads the clock"));
            }
        }
        for impure in IMPURE.iter().filter(|w| pure && has_word(line, w)) {
            report(i, format!("`{impure}` in a pure file"));
        }
        let attributes = body[i + 1..].iter().take_while(|l| l.trim_start().starts_with("#[")).count();
        let follows = body.get(i + 1 + attributes).is_some_and(|l| l.starts_with("mod "));
        if line.contains("cfg(test)") && !follows {
            report(i, "cfg(test) on something else than a module of tests".to_owned());
        }
    }
    found
}

/// The top-level modules in the order of `pub mod` lines.
fn module_order(lib: &str) -> Vec<String> {
    lib.lines().filter_map(|l| Some(l.strip_prefix("pub mod ")?.trim_end_matches(';').to_owned())).collect()
}

/// `src/outbox/mail.rs` belongs to `outbox`.
fn module_of(name: &str) -> &str {
    let inner = name.trim_start_matches("src/");
    inner.split('/').next().unwrap_or(inner).trim_end_matches(".rs")
}

fn may_import(name: &str, module: &str, order: &[String]) -> bool {
    let place = |m: &str| order.iter().position(|o| o == m);
    match (place(module_of(name)), place(module)) {
        // main.rs and lib.rs stand above the order; `crate::SomeType` is no module.
        (None, _) | (_, None) => true,
        (Some(own), Some(other)) => other <= own,
    }
}

/// The first path components after `crate::`, in paths and in use lines with groups, each with its line from 0.
fn imported_modules(code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (at, start) in code.match_indices("crate::") {
        let rest = &code[at + start.len()..];
        let mut depth = 0;
        let mut fresh = true;
        let mut line = code[..at].matches('\n').count();
        for (i, c) in rest.char_indices() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' => fresh = depth == 1,
                '\n' => line += 1,
                c if fresh && (c.is_alphabetic() || c == '_') => {
                    let end = rest[i..].find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len() - i);
                    found.push((line, rest[i..i + end].to_owned()));
                    fresh = false;
                }
                _ => {}
            }
            if depth <= 0 && !fresh {
                break;
            }
        }
    }
    found
}

fn is_pure(name: &str, text: &str) -> bool {
    let promised = text.lines().take_while(|l| l.starts_with("//!")).any(|l| has_word(l, "Pure"));
    promised || PURE.iter().any(|p| name == *p || name.starts_with(&format!("{p}/")))
}

fn has_word(line: &str, word: &str) -> bool {
    let part_of_name = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        !before.is_some_and(part_of_name) && !after.is_some_and(part_of_name)
    })
}

/// Lines from the `#[cfg(test)]` of the closing test module to the end.
fn test_lines(code: &str) -> usize {
    let lines: Vec<&str> = code.lines().collect();
    let start = lines.windows(2).rposition(|w| w[0] == "#[cfg(test)]" && w[1].starts_with("mod "));
    start.map_or(0, |start| lines.len() - start)
}

/// The files that `#[cfg(test)]` modules of this one live in: `mod x;`, with or without a `#[path]`.
fn test_files(name: &str, text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let (folder, file) = name.rsplit_once('/').unwrap_or(("", name));
    let inner = match file {
        "mod.rs" | "lib.rs" | "main.rs" => folder.to_owned(),
        _ => name.trim_end_matches(".rs").to_owned(),
    };
    let marked = lines.iter().enumerate().filter(|(_, l)| **l == "#[cfg(test)]");
    marked
        .filter_map(|(i, _)| {
            let path = lines.get(i + 1).and_then(|l| l.strip_prefix("#[path = \"")).map(|l| l.trim_end_matches("\"]"));
            let module = lines.get(i + 1 + usize::from(path.is_some()))?.strip_prefix("mod ")?.strip_suffix(';')?;
            Some(path.map_or_else(|| format!("{inner}/{module}.rs"), |path| format!("{folder}/{path}")))
        })
        .collect()
}

/// A mail address whose domain is not reserved for examples and tests (RFC 2606).
fn foreign_address(line: &str) -> Option<&str> {
    let part = |c: char| c.is_ascii_alphanumeric() || "._-+@".contains(c);
    line.split(|c: char| !part(c)).map(|w| w.trim_matches(['.', '-'])).find(|word| match word.split_once('@') {
        Some((local, domain)) if !local.is_empty() && domain.contains('.') => {
            ![".example", ".test", ".eml"].iter().any(|end| domain.ends_with(end))
        }
        _ => false,
    })
}

/// The same text with the insides of comments, strings and character literals blanked, line by line.
fn blank_comments_and_strings(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let skipped = match c {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |n| n + 2),
            '"' => string_length(rest),
            'r' if !out.ends_with(|c: char| c.is_alphanumeric() || c == '_') => raw_string_length(rest),
            '\'' => character_length(rest),
            _ => 0,
        };
        let taken = if skipped > 0 { skipped } else { c.len_utf8() };
        if skipped > 0 {
            out.extend(rest[..taken].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        } else {
            out.push(c);
        }
        rest = &rest[taken..];
    }
    out
}

fn string_length(rest: &str) -> usize {
    let mut escaped = false;
    for (i, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return i + 1,
            _ => {}
        }
    }
    rest.len()
}

/// 0 unless `rest` begins with `r"` or `r#…#"`.
fn raw_string_length(rest: &str) -> usize {
    let hashes = rest[1..].bytes().take_while(|b| *b == b'#').count();
    if rest.as_bytes().get(1 + hashes) != Some(&b'"') {
        return 0;
    }
    let end = format!("\"{}", "#".repeat(hashes));
    let start = 2 + hashes;
    rest[start..].find(&end).map_or(rest.len(), |n| start + n + end.len())
}

/// 0 for a lifetime.
fn character_length(rest: &str) -> usize {
    let mut chars = rest.char_indices().skip(1);
    match (chars.next(), chars.next()) {
        (Some((_, '\\')), Some((after, _))) => rest[after + 1..].find('\'').map_or(0, |n| after + 1 + n + 1),
        (Some(_), Some((i, '\''))) => i + 1,
        _ => 0,
    }
}

fn rust_files(root: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![root.join("src"), root.join("tests")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// The checker has to catch what it is there for.
#[test]
fn the_checker_catches_each_kind_of_offence() {
    let order: Vec<String> = ["clock", "form", "ledger", "jobs"].map(str::to_owned).to_vec();
    let caught = |name: &str, text: &str| offences(name, text, &order);

    assert_eq!(caught("src/form/check.rs", "use crate::ledger::store;\n").len(), 1);
    assert_eq!(caught("src/form/check.rs", "use crate::{clock::Now, jobs};\n").len(), 2, "a later module, and a clock");
    assert_eq!(caught("src/form/check.rs", "use crate::{\n    form::{a, b},\n    jobs::{ledger, d},\n};\n").len(), 1);
    assert_eq!(caught("src/form/check.rs", "use crate::clock;\n").len(), 1);
    assert_eq!(caught("src/ledger/store.rs", "fn f() { crate::jobs::run() }\n").len(), 1);
    assert_eq!(caught("src/jobs/runner.rs", "use crate::ledger::store;\nuse crate::jobs::x;\n").len(), 0);

    assert_eq!(caught("src/form/check.rs", "let x = std::fs::read(p);\n").len(), 1);
    assert_eq!(caught("src/ledger/store.rs", "//! Rows. Pure.\nuse sqlx::Row;\n").len(), 1);
    assert_eq!(caught("src/ledger/store.rs", "//! Rows.\nuse sqlx::Row;\n").len(), 0);
    assert_eq!(caught("src/form/check.rs", "// tokio is not used here\nlet x = \"std::fs\";\n").len(), 0);

    assert_eq!(caught("src/jobs/runner.rs", "let now = Utc::now();\n").len(), 1);
    assert_eq!(caught("src/clock.rs", "let now = Utc::now();\n").len(), 0);

    assert_eq!(caught("src/jobs/runner.rs", concat!("// TO", "DO later\n")).len(), 1);
    assert_eq!(caught("src/jobs/runner.rs", concat!("db", "g!(x);\n")).len(), 1);
    assert_eq!(caught("tests/x.rs", concat!("let a = \"somebody@", "post.com\";\n")).len(), 1);
    assert_eq!(caught("tests/x.rs", "let a = \"somebody@office.example\";\n").len(), 0);

    let long = "fn f() {}\n".repeat(MAX_LINES + 1);
    assert_eq!(caught("src/jobs/runner.rs", &long).len(), 1);
    let tested = format!("{}#[cfg(test)]\nmod tests {{\n{}}}\n", "fn f() {}\n".repeat(10), long);
    assert_eq!(caught("src/jobs/runner.rs", &tested).len(), 0);
    assert_eq!(
        test_files("src/jobs/runner.rs", "#[cfg(test)]\n#[path = \"x_tests.rs\"]\nmod t;\n"),
        ["src/jobs/x_tests.rs"]
    );
    assert_eq!(test_files("src/jobs/mod.rs", "mod a;\n#[cfg(test)]\nmod fake;\n"), ["src/jobs/fake.rs"]);
    assert_eq!(caught("src/jobs/runner.rs", "#[cfg(test)]\nfn helper() {}\nfn f() {}\n").len(), 1);
}

#[test]
fn strings_comments_and_lifetimes_are_told_apart() {
    let code = blank_comments_and_strings("a('\"', \"x//y\", r#\"q\"z\"#, &'static T, '\\'') // end\nb");
    assert_eq!(code.replace(' ', ""), "a(,,,&'staticT,)\nb");
}
