//! Form definitions, as the files under `config/forms/` state them. Pure: text in, a [`Campaign`] out.

/// A campaign (活动): its streams and forms. One folder of files; another campaign is another folder.
#[derive(Clone, Debug)]
pub struct Campaign {
    /// `“建组织、扩覆盖，抓规范、强功能”活动`
    pub title: String,
    pub streams: Vec<Stream>,
    pub forms: Vec<Form>,
}

/// A stream (条线), with the words that name it in titles, file names and subjects.
#[derive(Clone, Debug)]
pub struct Stream {
    /// `nonpublic`, `social`
    pub key: String,
    /// `非公有制企业`
    pub title: String,
    /// What one organisation of it is called: `企业`, `社会组织`
    pub organisation: String,
    /// Longest first: `非公有制企业`, `非公企业`, `非公` …
    pub words: Vec<String>,
}

/// `Figures` has one row a unit and period; `Book` is the unit's whole book, one row an organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormKind {
    Figures,
    Book,
}

#[derive(Clone, Debug)]
pub struct Form {
    /// `progress`, `register`
    pub key: String,
    pub kind: FormKind,
    /// `活动进展情况统计表`
    pub title: String,
    /// What clerks call it in a list: `附件1 统计表`
    pub short_title: String,
    /// Words of titles, sheet and file names that point to this form.
    pub words: Vec<String>,
    pub columns: Vec<Column>,
}

#[derive(Clone, Debug)]
pub struct Column {
    pub key: String,
    /// The heading path on the blank form, top row first: `["新建党组织", "上月"]`.
    pub heading: Vec<String>,
    /// Other headings seen for the same thing.
    pub synonyms: Vec<String>,
    pub kind: ColumnKind,
    pub required: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ColumnKind {
    /// A non-negative whole number.
    Count,
    /// A rate, kept as percent.
    Rate,
    Date,
    Text,
    YesNo,
    /// One of a few words, each with the other spellings that mean it.
    OneOf(Vec<Choice>),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    pub value: String,
    pub spellings: Vec<String>,
}

impl Campaign {
    pub fn form(&self, key: &str) -> Option<&Form> {
        self.forms.iter().find(|f| f.key == key)
    }

    pub fn stream(&self, key: &str) -> Option<&Stream> {
        self.streams.iter().find(|s| s.key == key)
    }
}

impl Form {
    pub fn column(&self, key: &str) -> Option<&Column> {
        self.columns.iter().find(|c| c.key == key)
    }
}

impl Column {
    /// The heading in one line, as clerks are told it: `新建党组织/上月`.
    pub fn label(&self) -> String {
        self.heading.join("/")
    }
}
