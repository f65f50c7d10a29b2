//! What our own provider found out about the sender: Authentication-Results (RFC 8601). Pure.

use std::sync::LazyLock;

use regex::Regex;

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
/// (RFC 8601 section 5), so without an id nothing is believed.
///
/// dmarc decides where it has a result. Without one, mail fails if neither spf nor dkim passes and one of them fails;
/// softfail, neutral, none and errors are no failure.
pub fn authentication(message: &Message, authserv_id: Option<&str>) -> Authentication {
    let Some(ours) = authserv_id else { return Authentication::Unknown };
    let trusted = message.header("Authentication-Results").map(without_comments).find_map(|header| {
        let (id, results) = header.split_once(';')?;
        // A version number may follow the id.
        let id = id.split_whitespace().next()?;
        id.eq_ignore_ascii_case(ours).then(|| results.to_lowercase())
    });
    let Some(results) = trusted else { return Authentication::Unknown };
    let has = |method: &str, result: &str| methods(&results).any(|found| found == (method, result));
    let fail = |method: &str| Authentication::Fail { why: format!("{method}=fail") };
    if has("dmarc", "fail") {
        fail("dmarc")
    } else if has("dmarc", "pass") || has("spf", "pass") || has("dkim", "pass") {
        Authentication::Pass
    } else if has("spf", "fail") {
        fail("spf")
    } else if has("dkim", "fail") {
        fail("dkim")
    } else {
        Authentication::Unknown
    }
}

/// `dkim=pass header.d=…` → (`dkim`, `pass`); a method may carry a version: `dkim/1`. There may be several signatures.
fn methods(results: &str) -> impl Iterator<Item = (&str, &str)> {
    results.split(';').filter_map(|part| {
        let (method, rest) = part.trim().split_once('=')?;
        let method = method.split('/').next()?.trim();
        Some((method, rest.split_whitespace().next().unwrap_or_default()))
    })
}

fn without_comments(header: &str) -> String {
    static COMMENT: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\([^()]*\)").expect("a valid pattern"));
    COMMENT.replace_all(header, " ").into_owned()
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
}
