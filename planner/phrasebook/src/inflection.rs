//! Words that change with number, case and gender.

/// How a noun phrase stands in its sentence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Form {
    pub(crate) is_plural: bool,
    pub(crate) is_oblique: bool,
    pub(crate) is_feminine: bool,
}

/// A noun: direct, oblique, plural, oblique plural; in English only two differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Noun {
    forms: [String; 4],
    pub(crate) is_feminine: bool,
}

impl Noun {
    /// Reads `cube/cubes` or `dabba/dabbay/dabbay/dabbon m`.
    pub(crate) fn read(line: &str) -> Self {
        let (forms, gender) = match line.rsplit_once(' ') {
            Some((forms, gender)) if gender.chars().all(|c| "mf/".contains(c)) => (forms, gender),
            _ => (line, "m"),
        };
        let parts: Vec<&str> = forms.split('/').map(str::trim).collect();
        let take = |index: usize| parts.get(index).copied().unwrap_or(parts[0]).to_owned();
        let forms = match parts.len() {
            1 => [take(0), take(0), take(0), take(0)],
            2 => [take(0), take(0), take(1), take(1)],
            _ => [take(0), take(1), take(2), take(3.min(parts.len() - 1))],
        };
        Self {
            forms,
            is_feminine: gender.starts_with('f'),
        }
    }

    /// Direct, oblique, plural, oblique plural.
    pub(crate) fn forms(&self) -> &[String; 4] {
        &self.forms
    }

    pub(crate) fn form(&self, form: Form) -> &str {
        &self.forms[usize::from(form.is_plural) * 2 + usize::from(form.is_oblique)]
    }
}

/// Chooses among masculine direct, masculine oblique or plural, feminine.
pub(crate) fn agree(forms: &[String; 3], form: Form) -> &str {
    let index = if form.is_feminine {
        2
    } else {
        usize::from(form.is_oblique || form.is_plural)
    };
    &forms[index]
}

/// Reads `neela/neelay/neeli`, or one form for all.
pub(crate) fn adjective(line: &str) -> [String; 3] {
    let parts: Vec<&str> = line.split('/').map(str::trim).collect();
    match parts.as_slice() {
        [a, b, c] => [a, b, c].map(|form| (*form).to_owned()),
        _ => [line, line, line].map(str::to_owned),
    }
}

/// A region's phrase: direct and oblique, or one form.
pub(crate) fn place(line: &str, is_oblique: bool) -> &str {
    match line.split_once('/') {
        Some((_, oblique)) if is_oblique => oblique.trim(),
        Some((direct, _)) => direct.trim(),
        None => line,
    }
}
