//! Rows and columns paired so that the sum of their weights is greatest: the Hungarian method. Pure.

/// The column of each row in the best pairing, over weights that are not negative; `None` where 0 is all there is.
///
/// `weights[row][column]`, each row equally long. O(n³) in the longer side.
pub fn best(weights: &[Vec<f64>]) -> Vec<Option<usize>> {
    let columns = weights.first().map_or(0, Vec::len);
    let size = weights.len().max(columns);
    let weight = |r: usize, c: usize| weights.get(r).and_then(|row| row.get(c)).copied().unwrap_or(0.0);
    // Row and column 0 stand for none; `taken[c]` is the row that column c is paired with. Costs are negative weights.
    let (mut of_row, mut of_column) = (vec![0.0; size + 1], vec![0.0; size + 1]);
    let mut taken = vec![0; size + 1];
    for row in 1..=size {
        let mut least = vec![f64::INFINITY; size + 1];
        let mut way = vec![0; size + 1];
        let mut done = vec![false; size + 1];
        taken[0] = row;
        let mut at = 0;
        while taken[at] != 0 {
            done[at] = true;
            let (mut next, mut step) = (0, f64::INFINITY);
            for c in (1..=size).filter(|c| !done[*c]) {
                let cost = -weight(taken[at] - 1, c - 1) - of_row[taken[at]] - of_column[c];
                if cost < least[c] {
                    (least[c], way[c]) = (cost, at);
                }
                if least[c] < step {
                    (step, next) = (least[c], c);
                }
            }
            for c in 0..=size {
                if done[c] {
                    of_row[taken[c]] += step;
                    of_column[c] -= step;
                } else {
                    least[c] -= step;
                }
            }
            at = next;
        }
        while at != 0 {
            taken[at] = taken[way[at]];
            at = way[at];
        }
    }
    let mut paired = vec![None; weights.len()];
    for (column, row) in taken.iter().enumerate().skip(1) {
        if weight(row - 1, column - 1) > 0.0 {
            paired[row - 1] = Some(column - 1);
        }
    }
    paired
}

/// The sum of a pairing's weights.
pub fn total(weights: &[Vec<f64>], paired: &[Option<usize>]) -> f64 {
    paired.iter().enumerate().filter_map(|(r, c)| Some(weights[r][(*c)?])).sum()
}

/// How much the best pairing loses where the pair (row, column) is not allowed.
pub fn margin(weights: &[Vec<f64>], paired: &[Option<usize>], row: usize) -> f64 {
    let Some(column) = paired[row] else { return 0.0 };
    let mut others = weights.to_vec();
    others[row][column] = 0.0;
    let next = best(&others);
    total(weights, paired) - total(&others, &next)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn greatest(weights: &[Vec<f64>], used: &mut Vec<bool>, row: usize) -> f64 {
        if row == weights.len() {
            return 0.0;
        }
        let mut most = greatest(weights, used, row + 1);
        for column in 0..used.len() {
            if !used[column] {
                used[column] = true;
                most = most.max(weights[row][column] + greatest(weights, used, row + 1));
                used[column] = false;
            }
        }
        most
    }

    fn table() -> impl Strategy<Value = Vec<Vec<f64>>> {
        let weight = prop_oneof![Just(0.0), (1..=20u32).prop_map(|n| f64::from(n) / 8.0)];
        (0..5usize, 0..6usize).prop_flat_map(move |(rows, columns)| {
            prop::collection::vec(prop::collection::vec(weight.clone(), columns), rows)
        })
    }

    proptest! {
        #[test]
        fn no_other_pairing_weighs_more(weights in table()) {
            let paired = best(&weights);
            let mut used = vec![false; weights.first().map_or(0, Vec::len)];
            prop_assert!((total(&weights, &paired) - greatest(&weights, &mut used, 0)).abs() < 1e-9);
            let mut columns: Vec<usize> = paired.iter().flatten().copied().collect();
            columns.sort_unstable();
            prop_assert!(columns.windows(2).all(|w| w[0] != w[1]));
        }

        #[test]
        fn a_margin_is_what_the_next_best_pairing_lacks(weights in table()) {
            let paired = best(&weights);
            for row in (0..weights.len()).filter(|r| paired[*r].is_some()) {
                let mut others = weights.clone();
                others[row][paired[row].unwrap()] = 0.0;
                let mut used = vec![false; weights[0].len()];
                let next = greatest(&others, &mut used, 0);
                prop_assert!((margin(&weights, &paired, row) - (total(&weights, &paired) - next)).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn the_sum_counts_not_the_first_come() {
        assert_eq!(best(&[vec![1.0, 0.9], vec![0.8, 0.0]]), [Some(1), Some(0)]);
        assert_eq!(best(&[vec![0.0, 0.0]]), [None]);
    }
}
