//! What our own provider found out about the sender: Authentication-Results (RFC 8601). Pure.

use super::Message;

/// The provider's verdict on the From domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authentication {
    Pass,
    /// `why` is the result that decided: `dmarc=fail`.
    Fail {
        why: String,
    },
    /// No header of our provider's, or one that says neither.
    Unknown,
}

/// Reads the topmost header whose authserv-id is `authserv_id`; all others may be the sender's own inventions
/// (RFC 8601 section 5), so without an id nothing is believed. Where our provider adds no header at all, one that the
/// sender made under the right id cannot be told from a true one; but a forged pass gains nothing over none.
///
/// dmarc decides where it has a pass or fail. Without one, mail fails if neither spf nor dkim passes and one of them
/// fails; softfail, neutral, none and errors are no failure.
pub fn authentication(message: &Message, authserv_id: Option<&str>) -> Authentication {
    let Some(ours) = authserv_id else { return Authentication::Unknown };
    let trusted = message.header("Authentication-Results").map(parts).find(|parts| {
        // A version number may follow the id.
        let id = parts.first().and_then(|part| part.split_whitespace().next());
        id.is_some_and(|id| id.eq_ignore_ascii_case(ours))
    });
    let Some(results) = trusted else { return Authentication::Unknown };
    let has = |method: &str, result: &str| results.iter().skip(1).any(|part| method_of(part) == Some((method, result)));
    let fails = |method: &str| has(method, "fail") || has(method, "hardfail");
    let fail = |method: &str| Authentication::Fail { why: format!("{method}=fail") };
    let of_another = || message.from.as_ref().and_then(|from| another_domain(&results, &from.email));
    if fails("dmarc") {
        fail("dmarc")
    } else if let Some(domain) = of_another() {
        Authentication::Fail { why: format!("dmarc=pass header.from={domain}") }
    } else if has("dmarc", "pass") || has("spf", "pass") || has("dkim", "pass") {
        Authentication::Pass
    } else if fails("spf") {
        fail("spf")
    } else if fails("dkim") {
        fail("dkim")
    } else {
        Authentication::Unknown
    }
}

/// The domain that dmarc has passed, if it is not the sender's: then the provider has read another From than we have. (It
/// may name the organisation's domain for one below it.)
fn another_domain<'a>(results: &'a [String], from: &str) -> Option<&'a str> {
    let passed = results.iter().skip(1).find(|part| method_of(part) == Some(("dmarc", "pass")))?;
    let named = passed.split_whitespace().find_map(|word| word.strip_prefix("header.from="))?;
    let checked = named.rsplit('@').next().unwrap_or(named).trim_matches(['<', '>', '.']);
    let ours = from.rsplit('@').next().unwrap_or(from);
    let below = |domain: &str, above: &str| {
        domain.strip_suffix(above).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    (!checked.is_empty() && !below(ours, checked) && !below(checked, ours)).then_some(checked)
}

/// `dkim=pass header.d=…` → (`dkim`, `pass`); a method may carry a version: `dkim/1`. There may be several signatures.
fn method_of(part: &str) -> Option<(&str, &str)> {
    let (method, rest) = part.trim().split_once('=')?;
    let method = method.split('/').next()?.trim();
    Some((method, rest.split_whitespace().next().unwrap_or_default()))
}

/// The parts between semicolons in lower case, comments left out and quotes taken off. Both may hold what the sender
/// chose (`smtp.mailfrom="a; dmarc=pass"@…`), so a semicolon within ends no part, and a part's first word is its own.
fn parts(header: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let (mut comment, mut quoted) = (0_usize, false);
    let mut chars = header.chars();
    while let Some(c) = chars.next() {
        let escaped = if c == '\\' && (quoted || comment > 0) { chars.next() } else { None };
        match escaped.unwrap_or(c) {
            _ if escaped.is_some() && comment > 0 => {}
            '"' if escaped.is_none() && comment == 0 => quoted = !quoted,
            '(' if escaped.is_none() && !quoted => comment += 1,
            ')' if escaped.is_none() && comment > 0 => comment -= 1,
            _ if comment > 0 => {}
            ';' if !quoted => parts.push(String::new()),
            c => {
                // Within quotes a space is part of the word.
                let c = if quoted && c.is_whitespace() { '_' } else { c };
                parts.last_mut().into_iter().for_each(|part| part.extend(c.to_lowercase()));
            }
        }
        if comment == 0 && c == ')' && !quoted {
            parts.last_mut().into_iter().for_each(|part| part.push(' '));
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(headers: &[&str]) -> Authentication {
        let headers = headers.iter().map(|v| ("Authentication-Results".to_owned(), (*v).to_owned())).collect();
        authentication(&Message { headers, ..Message::default() }, Some("mx.post.example"))
    }

    fn fails(result: &str) -> bool {
        matches!(verdict(&[&format!("mx.post.example; {result}")]), Authentication::Fail { .. })
    }

    #[test]
    fn dmarc_decides_where_it_has_a_result() {
        assert!(fails(
            "spf=pass smtp.mailfrom=x.example; dkim=pass header.d=x.example; dmarc=fail header.from=y.example"
        ));
        assert!(!fails("spf=fail; dkim=fail; dmarc=pass (p=none) header.from=y.example"));
        assert!(fails("spf=fail (ip not allowed; really) smtp.mailfrom=y.example; dkim=none; dmarc=none"));
    }

    #[test]
    fn without_dmarc_one_failure_counts_unless_the_other_passes() {
        assert!(fails("spf=fail; dkim=none"));
        assert!(fails("dkim=fail header.d=y.example"));
        assert!(!fails("spf=fail; dkim=pass"));
        assert!(!fails("spf=softfail; dkim=neutral"));
        assert!(!fails("spf=softfail; dkim=none; dmarc=none"));
        assert_eq!(verdict(&["mx.post.example; none"]), Authentication::Unknown);
        assert_eq!(verdict(&[]), Authentication::Unknown);
    }

    #[test]
    fn only_the_topmost_header_of_our_provider_is_believed() {
        assert_eq!(verdict(&["mx.other.example; dmarc=pass"]), Authentication::Unknown);
        let forged = ["evil.example; dmarc=pass", "MX.post.example 1; dmarc=fail", "mx.post.example; dmarc=pass"];
        assert_eq!(verdict(&forged), Authentication::Fail { why: "dmarc=fail".into() });
        let message = Message {
            headers: vec![("Authentication-Results".into(), "mx.post.example; dmarc=fail".into())],
            ..Message::default()
        };
        assert_eq!(authentication(&message, None), Authentication::Unknown);
    }

    /// The same through the whole reading of a mail.
    fn of_mail(headers: &str) -> Authentication {
        let raw = format!("{headers}From: wang@liulin.example\r\nSubject: x\r\n\r\nx\r\n");
        let message = crate::message::parse(raw.as_bytes(), &crate::message::parse::Limits::default());
        authentication(&message, Some("mx.post.example"))
    }

    fn failed(why: &str) -> Authentication {
        Authentication::Fail { why: why.to_owned() }
    }

    #[test]
    fn our_provider_is_known_however_it_writes_its_name() {
        for id in [
            "mx.post.example",
            "MX.POST.example",
            "mx.post.example 1",
            "(checked) mx.post.example",
            "mx.post.example (our (nested) comment; with a stop) 1",
            "\"mx.post.example\"",
            " mx.post.example\t1 ",
        ] {
            assert_eq!(verdict(&[&format!("{id}; dmarc=fail")]), failed("dmarc=fail"), "{id}");
        }
        for id in
            ["mx.post.example.evil.example", "evil-mx.post.example", "post.example", "(mx.post.example) x.example", ""]
        {
            assert_eq!(verdict(&[&format!("{id}; dmarc=fail")]), Authentication::Unknown, "{id}");
        }
        assert_eq!(verdict(&["mx.post.example"]), Authentication::Unknown);
    }

    #[test]
    fn folded_lines_and_several_results_are_read() {
        let folded = "Authentication-Results: mx.post.example;\r\n\tspf=fail (no\r\n permission) smtp.mailfrom=y.example;\r\n\
                      \tdkim=none;\r\n dkim=fail header.d=y.example;\r\n\tdkim=pass header.d=z.example\r\n";
        assert_eq!(of_mail(folded), Authentication::Pass);
        assert_eq!(of_mail(&folded.replace("dkim=pass", "dkim = neutral")), failed("spf=fail"));
        assert_eq!(of_mail(&folded.replace("dkim=pass", "dmarc=FAIL")), failed("dmarc=fail"));
        assert_eq!(
            of_mail("authentication-results: mx.post.example; dkim/1=fail reason=\"bad; really\"\r\n"),
            failed("dkim=fail")
        );
        assert_eq!(verdict(&["mx.post.example; spf=hardfail; dkim=none"]), failed("spf=fail"));
    }

    #[test]
    fn a_dmarc_that_found_no_policy_leaves_it_to_spf_and_dkim() {
        for none in ["dmarc=none", "dmarc=temperror", "dmarc=permerror", "dmarc=none; dmarc=none"] {
            assert!(fails(&format!("{none}; spf=fail; dkim=none")), "{none}");
            assert!(!fails(&format!("{none}; spf=fail; dkim=pass")), "{none}");
            assert_eq!(verdict(&[&format!("mx.post.example; {none}; spf=none")]), Authentication::Unknown);
        }
    }

    #[test]
    fn a_pass_for_another_domain_is_none() {
        for (named, passes) in [
            ("liulin.example", true),
            ("mail.liulin.example", true),
            ("example", true),
            ("wang@liulin.example", true),
            ("<wang@LIULIN.example>", true),
            ("evil.test", false),
            ("evilliulin.example", false),
            ("liulin.example.evil.test", false),
        ] {
            let header = format!(
                "Authentication-Results: mx.post.example; spf=pass; dmarc=pass (p=none) header.from={named}\r\n"
            );
            assert_eq!(of_mail(&header) == Authentication::Pass, passes, "{named}");
        }
    }

    #[test]
    fn forged_results_are_not_believed() {
        let fail = "Authentication-Results: mx.post.example; spf=fail; dkim=none\r\n";
        let pass = "Authentication-Results: mx.post.example; dmarc=pass\r\n";
        assert_eq!(of_mail(&format!("{fail}{pass}")), failed("spf=fail"), "put in by the sender, below ours");
        let elsewhere = "Authentication-Results: mx.evil.example; dmarc=pass\r\n";
        assert_eq!(of_mail(&format!("{elsewhere}{fail}")), failed("spf=fail"));
        for other in ["ARC-Authentication-Results: i=1; ", "X-Authentication-Results: "] {
            assert_eq!(of_mail(&format!("{other}mx.post.example; dmarc=pass\r\n{fail}")), failed("spf=fail"));
            assert_eq!(of_mail(&format!("{other}mx.post.example; dmarc=fail\r\n")), Authentication::Unknown);
        }
    }

    /// The provider quotes what the sender called himself.
    #[test]
    fn a_sender_cannot_write_results_into_his_own_name() {
        for name in [
            "\"a; dmarc=pass\"@evil.example",
            "\"a\\\"; dmarc=pass \"@evil.example",
            "(domain of \"a\\); dmarc=pass (\") x@evil.example",
            "=?us-ascii?Q?a=3B_dmarc=3Dpass_?=@evil.example",
        ] {
            let header =
                format!("Authentication-Results: mx.post.example; spf=fail smtp.mailfrom={name}; dkim=none\r\n");
            assert_eq!(of_mail(&header), failed("spf=fail"), "{name}");
        }
    }
}
