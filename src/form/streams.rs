//! Which streams a text names. Pure, and never fuzzy: a word is there or it is not.

use unicode_normalization::UnicodeNormalization;

use super::definition::{Campaign, Stream};

/// The streams that a text names, in the order of the campaign; a longer word hides a shorter one inside it.
pub fn find_streams<'c>(text: &str, campaign: &'c Campaign) -> Vec<&'c Stream> {
    let mut text = normal(text);
    let mut words: Vec<(&str, usize)> =
        campaign.streams.iter().enumerate().flat_map(|(i, s)| s.words.iter().map(move |w| (w.as_str(), i))).collect();
    words.sort_by_key(|(w, _)| std::cmp::Reverse(w.chars().count()));
    let mut found = vec![false; campaign.streams.len()];
    for (word, stream) in words {
        let word = normal(word);
        if text.contains(&word) {
            found[stream] = true;
            text = text.replace(&word, "\n");
        }
    }
    campaign.streams.iter().zip(found).filter(|(_, found)| *found).map(|(stream, _)| stream).collect()
}

/// NFKC without white space, brackets unified by it.
pub fn normal(text: &str) -> String {
    text.nfkc().filter(|c| !c.is_whitespace()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_told_by_their_words() {
        let campaign = Campaign::builtin();
        let keys = |t: &str| find_streams(t, &campaign).iter().map(|s| s.key.as_str()).collect::<Vec<_>>();
        assert_eq!(keys("非公有制企业活动台账"), ["nonpublic"]);
        assert_eq!(keys("社会 组织统计表"), ["social"]);
        assert_eq!(keys("非公企业和社会组织"), ["nonpublic", "social"]);
        assert!(keys("两新组织报表").is_empty());
    }
}
