//! Whatever order a unit's returns are worked through in, the ledger is the same; and as of any period it is what the books
//! up to then come to.

use proptest::prelude::*;
use sqlx::Row as _;

use super::{counting, entries};
use crate::config::Config;
use crate::db::Db;
use crate::fixture;
use crate::form::record::Values;
use crate::form::{Datum, Record};
use crate::ledger::merge::Rulings;
use crate::ledger::query;
use crate::ledger::store::{self, Decision};
use crate::period::Period;
use crate::submission::Row;

const UNIT: &str = "松岭镇人民政府";
const STREAM: &str = "nonpublic";
const FIRST: &str = "2011-07";

/// A return as it came: its place in the list is when.
#[derive(Clone, Debug)]
enum Came {
    /// Months after the first; what is said of each organisation.
    Book(i32, Vec<u8>),
    Figures(i32, i64),
    /// The same as another one once more.
    Again(usize),
}

fn came() -> impl Strategy<Value = Came> {
    prop_oneof![
        4 => (0i32..4, prop::collection::vec(0u8..7, 4)).prop_map(|(p, rows)| Came::Book(p, rows)),
        2 => (0i32..4, 0i64..4).prop_map(|(p, n)| Came::Figures(p, n)),
        1 => (0usize..8).prop_map(Came::Again),
    ]
}

/// Returns, and in which order they are worked through.
fn mail() -> impl Strategy<Value = (Vec<Came>, Vec<usize>)> {
    prop::collection::vec(came(), 3..9).prop_flat_map(|all| {
        let order: Vec<usize> = (0..all.len()).collect();
        (Just(all), Just(order).prop_shuffle())
    })
}

fn row(number: u32, values: Values, admitted: bool) -> Row {
    let cells = values.keys().map(|key| (key.clone(), format!("{}{number}", key.to_uppercase()))).collect();
    let record = Record { sheet: "台账".to_owned(), row: number, values, cells, ..Record::default() };
    Row { sheet: "台账".to_owned(), record, admitted }
}

/// 0: it is not in the book; else as it was, renamed, closed, with an error, with other figures, without its code.
fn organisation(number: usize, said: u8) -> Option<Row> {
    let own = ["远山", "长青", "云岭", "白石"][number];
    let text = |t: String| if t.is_empty() { Datum::Null } else { Datum::Text(t) };
    let word = if said == 2 { "精密" } else { "" };
    let code = if said == 6 || number == 0 { String::new() } else { format!("社字第{number}01号") };
    let values = [
        ("name", text(format!("{own}{word}机械有限公司"))),
        ("code", text(code)),
        ("legal_rep", text(format!("负责{number}"))),
        ("status", text(if said == 3 { "销户" } else { "正常" }.to_owned())),
        ("members", Datum::Int(i64::from(said == 5))),
    ];
    let values = values.into_iter().map(|(k, v)| (k.to_owned(), v)).collect();
    (said > 0).then(|| row(5 + number as u32, values, said != 4))
}

fn rows(came: &Came) -> (&'static str, i32, Vec<Row>) {
    match came {
        Came::Book(period, said) => {
            let rows = said.iter().enumerate().filter_map(|(number, said)| organisation(number, *said));
            ("register", *period, rows.collect())
        }
        Came::Figures(period, n) => {
            let figure = |key: &str, n: i64| (key.to_owned(), Datum::Int(n));
            let values = [figure("orgs", *n), figure("new_party_orgs_month", *n), figure("new_party_orgs_total", 3)];
            ("progress", *period, vec![row(5, values.into(), true)])
        }
        Came::Again(_) => ("", 0, Vec::new()),
    }
}

async fn deliver(db: &Db, config: &Config, all: &[Came], at: usize) {
    let what = match &all[at] {
        Came::Again(other) => &all[*other % all.len()],
        came => came,
    };
    let (form, months, rows) = rows(what);
    if form.is_empty() {
        return;
    }
    let period = FIRST.parse::<Period>().unwrap().plus(months).to_string();
    let when = format!("2011-12-01T10:{at:02}:00Z");
    fixture::reported(db, config, [UNIT, STREAM, form, &period], &when, rows).await;
}

/// Everything that is derived, without the numbers of rows.
async fn derived(db: &Db) -> Vec<String> {
    let line = "(SELECT json_array(s.period, s.received_at, l.sheet, l.row) FROM line l JOIN submission s ON s.id = l.submission
                WHERE l.id = x.line)";
    let of = "(SELECT e.identity FROM entry e WHERE e.id = x.entry)";
    let tables = [
        format!(
            "SELECT json_array('entry', unit, stream, form, identity, name, code, status, vanished, first_period,
                 last_period, record, {line}) FROM entry x ORDER BY id"
        ),
        format!("SELECT json_array('version', {of}, period, change, record, {line}) FROM entry_version x ORDER BY entry, period"),
        format!("SELECT json_array('name', {of}, since, name) FROM entry_name x ORDER BY entry, since"),
        format!("SELECT json_array('absence', {of}, last, since, until) FROM entry_absence x ORDER BY entry, since"),
        format!("SELECT json_array('figure', unit, stream, form, period, {line}) FROM figure x ORDER BY form, period"),
        "SELECT json_array('finding', s.form, s.period, s.received_at, f.rule, f.severity, f.file, f.sheet, f.cell, f.row,
             f.key, f.text) FROM finding f JOIN submission s ON s.id = f.submission WHERE origin = 'ledger' ORDER BY f.id"
            .to_owned(),
    ];
    let mut conn = db.pool().acquire().await.unwrap();
    let mut all = Vec::new();
    for sql in tables {
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(&mut *conn).await.unwrap();
        all.extend(rows.iter().map(|row| row.get::<String, _>(0)));
    }
    all
}

/// The register as of each period beside what the books up to then come to.
async fn as_of_is_the_prefix(db: &Db) {
    let mut conn = db.pool().acquire().await.unwrap();
    let versions = counting::versions(&mut conn, (UNIT, STREAM, "register")).await.unwrap();
    for months in 0..5 {
        let period = FIRST.parse::<Period>().unwrap().plus(months);
        let books = versions.iter().take_while(|v| v.period <= period).count();
        let folded = entries::fold(&versions[..books], &Rulings::default());
        let expected = folded.entries.iter().map(|e| {
            format!("{} {} {} {} {} {:?}", e.name(), e.closed, e.vanished, e.first_period, e.last_period, e.values)
        });
        let stored = query::entries(&mut conn, Some(period)).await.unwrap();
        let found = stored.iter().map(|e| {
            let name = e.values["name"].text().unwrap();
            format!("{name} {} {} {} {} {:?}", e.closed, e.vanished, e.first_period, e.last_period, e.values)
        });
        assert_eq!(found.collect::<Vec<_>>(), expected.collect::<Vec<_>>(), "as of {period}");
    }
    let now = query::entries(&mut conn, None).await.unwrap();
    let last = query::entries(&mut conn, Some(FIRST.parse::<Period>().unwrap().plus(40))).await.unwrap();
    assert_eq!(format!("{now:?}"), format!("{last:?}"));
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 40, ..ProptestConfig::with_cases(24) })]
    #[test]
    fn any_order_of_work_ends_in_the_same_ledger((all, order) in mail()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let config = fixture::config();
            let ((_one, straight), (_other, shuffled)) = (fixture::ledger().await, fixture::ledger().await);
            for db in [&straight, &shuffled] {
                // Nothing has to outlast the test.
                sqlx::query("PRAGMA synchronous = OFF").execute(db.pool()).await.unwrap();
            }
            for at in 0..all.len() {
                deliver(&straight, &config, &all, at).await;
            }
            for at in order {
                deliver(&shuffled, &config, &all, at).await;
            }
            assert_eq!(derived(&shuffled).await, derived(&straight).await);
            as_of_is_the_prefix(&straight).await;
        });
    }
}

#[tokio::test]
async fn a_ruling_is_remembered_and_one_made_later_is_not_known_before() {
    let (config, (_dir, db)) = (fixture::config(), fixture::ledger().await);
    let all = [Came::Book(0, vec![1, 0, 0, 0]), Came::Book(1, vec![2, 1, 0, 0])];
    deliver(&db, &config, &all, 0).await;
    let mut conn = db.pool().acquire().await.unwrap();
    let (subject, other) = (Some("远山机械有限公司"), Some("远山精密机械有限公司"));
    let unit = Some(UNIT);
    let split =
        Decision { kind: "split", who: "operator", unit, stream: Some(STREAM), subject, other, ..Decision::default() };
    store::decide(&mut conn, &split, fixture::at("2011-12-05T10:00:00Z")).await.unwrap();
    let known = async |conn: &mut sqlx::SqliteConnection, on: Option<&str>| {
        let of = (UNIT, STREAM, "register");
        !crate::ledger::rulings::load(conn, of, on.map(fixture::at)).await.unwrap().is_empty()
    };
    assert!(known(&mut conn, None).await && known(&mut conn, Some("2011-12-05T10:00:00Z")).await);
    assert!(!known(&mut conn, Some("2011-12-05T09:59:59Z")).await);
    drop(conn);
    deliver(&db, &config, &all, 1).await;
    let mut conn = db.pool().acquire().await.unwrap();
    assert_eq!(query::entries(&mut conn, None).await.unwrap().len(), 3);
}
