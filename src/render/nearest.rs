//! Which name was probably meant.

use strsim::damerau_levenshtein;

/// Names longer than this are no slips of the pen.
const LONGEST: usize = 100;

/// The name with the fewest differences, upper and lower case aside.
pub fn nearest<'a>(written: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let written: String = written.to_lowercase().chars().take(LONGEST).collect();
    names.min_by_key(|name| damerau_levenshtein(&written, name))
}

/// The same, if it is near enough to be meant: every third letter may differ.
pub fn near<'a>(written: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    if written.len() > LONGEST {
        return None;
    }
    let name = nearest(written, names)?;
    let differences = damerau_levenshtein(&written.to_lowercase(), name);
    (differences <= written.chars().count().max(3) / 3).then_some(name)
}
