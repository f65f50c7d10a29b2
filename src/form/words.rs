//! What a heading says, word by word: the campaign's words for meanings, found in a key, and what is left of it. Pure.
//!
//! A word that is misspelt with one character of the same sound (妇连 for 妇联) is found as well.

use std::collections::{BTreeSet, HashMap};

use pinyin::ToPinyin;

use super::definition::{Column, ColumnKind, HeadingWords, TextStyle};
use super::key::key;

/// Characters of a key that are looked at: no heading is longer.
const LONGEST: usize = 60;
/// What a meaning that says little weighs; another one weighs 1.
const WEAK: f64 = 0.35;
/// What a character that belongs to no word weighs, and a digit or a Latin letter.
const UNKNOWN: f64 = 0.5;
const DIGIT: f64 = 2.0;

/// The words of a campaign.
pub struct Lexicon<'a> {
    words: &'a HeadingWords,
    /// Word → its meanings, by index; none for a filler.
    known: HashMap<String, Vec<usize>>,
    /// Kind of column → words that say nothing there.
    fillers: HashMap<&'a str, BTreeSet<String>>,
    /// The sounds of a word's characters → words.
    sounds: HashMap<String, Vec<String>>,
    meanings: Vec<Meaning>,
    longest: usize,
}

struct Meaning {
    name: String,
    weight: f64,
    /// A heading that has it asks nothing else.
    decisive: bool,
    /// It belongs to no column's headings but those that say it.
    forbidding: bool,
}

/// One thing a heading says: a meaning, or a run of characters that no word explains.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Token {
    Meaning(usize),
    Unknown(String),
}

/// A key, understood.
#[derive(Clone, Debug, Default)]
pub struct Words {
    pub tokens: BTreeSet<Token>,
    /// The last one: what is asked for, the others only say of what.
    pub head: Option<Token>,
    /// A word was misspelt.
    pub misspelt: bool,
}

impl<'a> Lexicon<'a> {
    pub fn new(words: &'a HeadingWords) -> Self {
        let mut lexicon = Self {
            words,
            known: HashMap::new(),
            fillers: HashMap::new(),
            sounds: HashMap::new(),
            meanings: Vec::new(),
            longest: 1,
        };
        for (names, list) in &words.meanings {
            let meant: Vec<usize> = names.split_whitespace().map(|name| lexicon.meaning(name, false)).collect();
            let own = Some(names).filter(|_| meant.len() == 1);
            list.iter().chain(own).for_each(|word| lexicon.add(word, meant.clone()));
        }
        for word in &words.forbidding {
            let meant = lexicon.meaning(word, true);
            lexicon.add(word, vec![meant]);
        }
        words.fillers.iter().for_each(|word| lexicon.add(word, Vec::new()));
        for (kind, list) in &words.kind_fillers {
            let keys: BTreeSet<String> = list.iter().map(|w| key(w, words)).collect();
            lexicon.longest = keys.iter().map(|k| k.chars().count()).chain([lexicon.longest]).max().unwrap_or(1);
            lexicon.fillers.insert(kind, keys);
        }
        lexicon
    }

    fn meaning(&mut self, name: &str, forbidding: bool) -> usize {
        if let Some(i) = self.meanings.iter().position(|m| m.name == name) {
            return i;
        }
        let weight = if self.words.weak.contains(name) { WEAK } else { 1.0 };
        let decisive = forbidding || !self.words.weak.contains(name) && !self.words.mild.contains(name);
        self.meanings.push(Meaning { name: name.to_owned(), weight, decisive, forbidding });
        self.meanings.len() - 1
    }

    fn add(&mut self, word: &str, meant: Vec<usize>) {
        let word = key(word, self.words);
        self.longest = self.longest.max(word.chars().count());
        let spoken = sound(&word).filter(|_| !meant.is_empty() && word.chars().count() > 1);
        if let Some(spoken) = spoken {
            self.sounds.entry(spoken).or_default().push(word.clone());
        }
        self.known.entry(word).or_insert(meant);
    }

    pub fn weight(&self, token: &Token) -> f64 {
        match token {
            Token::Meaning(i) => self.meanings[*i].weight,
            Token::Unknown(run) => run.chars().map(|c| if c.is_ascii_alphanumeric() { DIGIT } else { UNKNOWN }).sum(),
        }
    }

    pub fn is_decisive(&self, token: &Token) -> bool {
        matches!(token, Token::Meaning(i) if self.meanings[*i].decisive)
    }

    pub fn is_forbidding(&self, token: &Token) -> bool {
        matches!(token, Token::Meaning(i) if self.meanings[*i].forbidding)
    }

    /// The token of a meaning's name.
    pub fn named(&self, name: &str) -> Option<Token> {
        self.meanings.iter().position(|m| m.name == name).map(Token::Meaning)
    }

    /// Understands a key as the heading of a column of this [`kind`]: as few characters unexplained, then as few words as
    /// possible.
    pub fn read(&self, key: &str, kind: &str) -> Words {
        let fillers = self.fillers.get(kind);
        let exact = self.cut(key, fillers, false);
        let all_known = exact.iter().all(|p| !matches!(p, Piece::Unknown(_)));
        let pieces = if all_known { exact } else { self.cut(key, fillers, true) };
        let mut words = Words::default();
        let mut run = String::new();
        for piece in &pieces {
            if let Piece::Unknown(c) = piece {
                run.push(*c);
                continue;
            }
            words.unknown(&mut run);
            if let Piece::Word(meant, misspelt) = piece {
                words.misspelt |= misspelt;
                for token in meant.iter().map(|m| Token::Meaning(*m)) {
                    words.head = Some(token.clone());
                    words.tokens.insert(token);
                }
            }
        }
        words.unknown(&mut run);
        words
    }

    /// The cheapest way to cut a key into words and unknown characters.
    fn cut(&self, key: &str, fillers: Option<&BTreeSet<String>>, misspelt: bool) -> Vec<Piece<'_>> {
        const UNEXPLAINED: u32 = 100;
        const MISSPELT: u32 = 30;
        let chars: Vec<(usize, char)> = key.char_indices().take(LONGEST).collect();
        let end = |at: usize| chars.get(at).map_or(key.len(), |(i, _)| *i);
        // From each place: the cost of the rest, the length of the first piece, and the piece.
        let mut best: Vec<(u32, usize, Piece<'_>)> = vec![(0, 0, Piece::Filler); chars.len() + 1];
        for at in (0..chars.len()).rev() {
            best[at] = (best[at + 1].0 + UNEXPLAINED, 1, Piece::Unknown(chars[at].1));
            for length in 1..=self.longest.min(chars.len() - at) {
                let text = &key[chars[at].0..end(at + length)];
                let (cost, piece) = match self.piece(text, fillers) {
                    Some(piece) => (1, piece),
                    None if misspelt && length > 1 => match self.misspelt(text) {
                        Some(meant) => (MISSPELT, Piece::Word(meant, true)),
                        None => continue,
                    },
                    None => continue,
                };
                let cost = cost + best[at + length].0;
                // Of two equal ones the longer word first.
                if cost <= best[at].0 {
                    best[at] = (cost, length, piece);
                }
            }
        }
        let mut pieces = Vec::new();
        let mut at = 0;
        while at < chars.len() {
            pieces.push(best[at].2.clone());
            at += best[at].1;
        }
        pieces
    }

    fn piece(&self, text: &str, fillers: Option<&BTreeSet<String>>) -> Option<Piece<'_>> {
        let filler = fillers.is_some_and(|list| list.contains(text));
        match self.known.get(text) {
            _ if filler => Some(Piece::Filler),
            Some(meant) if meant.is_empty() => Some(Piece::Filler),
            Some(meant) => Some(Piece::Word(meant, false)),
            None => None,
        }
    }

    /// The only word that sounds the same and differs in one character.
    fn misspelt(&self, text: &str) -> Option<&[usize]> {
        let differs = |word: &&String| word.chars().zip(text.chars()).filter(|(a, b)| a != b).count() == 1;
        let mut close = self.sounds.get(&sound(text)?)?.iter().filter(differs);
        let word = close.next().filter(|_| close.next().is_none())?;
        self.known.get(word).map(Vec::as_slice)
    }
}

impl Words {
    fn unknown(&mut self, run: &mut String) {
        if !run.is_empty() {
            let token = Token::Unknown(std::mem::take(run));
            self.head = Some(token.clone());
            self.tokens.insert(token);
        }
    }
}

#[derive(Clone)]
enum Piece<'l> {
    Filler,
    /// Its meanings, and whether it was misspelt.
    Word(&'l [usize], bool),
    Unknown(char),
}

/// The kind of a column as the fillers' keys name it.
pub fn kind(column: &Column) -> &'static str {
    match (&column.kind, column.style) {
        (ColumnKind::Count, _) => "count",
        (ColumnKind::YesNo, _) => "yesno",
        (ColumnKind::Text, TextStyle::Name) => "name",
        (ColumnKind::Text, TextStyle::Person) => "person",
        (ColumnKind::Text, TextStyle::Phone) => "phone",
        (ColumnKind::Text, TextStyle::Code) => "code",
        _ => "",
    }
}

/// How a word of Chinese characters is spoken, without tones.
fn sound(word: &str) -> Option<String> {
    let syllables: Option<Vec<&str>> = word.chars().map(|c| c.to_pinyin().map(|p| p.plain())).collect();
    syllables.map(|s| s.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form::Campaign;

    fn said(form: &str, column: &str, text: &str) -> Vec<String> {
        let campaign = Campaign::builtin();
        let lexicon = Lexicon::new(&campaign.headings);
        let column = campaign.form(form).unwrap().column(column).unwrap();
        let words = lexicon.read(&key(text, &campaign.headings), kind(column));
        let name = |t: &Token| match t {
            Token::Meaning(i) => lexicon.meanings[*i].name.clone(),
            Token::Unknown(run) => format!("?{run}"),
        };
        let mut names: Vec<String> = words.tokens.iter().map(name).collect();
        names.sort();
        names
    }

    #[test]
    fn the_longest_words_explain_a_heading() {
        assert_eq!(said("progress", "members", "现有党员总人数"), ["党员"]);
        assert_eq!(said("progress", "members_untransferred", "尚未转入组织关系"), ["未转", "组织关系"]);
        assert_eq!(said("progress", "members", "先进党员数"), ["?先进", "党员"]);
        assert_eq!(said("progress", "orgs_covered", "党组织覆盖的企业数"), ["企业", "党组织", "覆盖"]);
    }

    #[test]
    fn one_wrong_character_of_the_same_sound_is_seen_through() {
        assert_eq!(said("register", "womens_fed", "妇连"), ["妇联"]);
        assert_eq!(said("progress", "members", "党圆总数"), ["党员"]);
        assert_eq!(said("progress", "members", "团员总数"), ["团员"], "another word");
    }

    #[test]
    fn the_traditional_characters_are_the_same() {
        assert_eq!(said("progress", "members", "黨員總數"), ["党员"]);
    }
}
