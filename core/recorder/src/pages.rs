//! A guard between a file's pages and what decodes them.

use parquet::basic::Encoding;
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::errors::{ParquetError, Result};

/// Largest page once unpacked (bytes).
const MAX_PAGE_BYTES: usize = 256 << 20;

/// Hands on pages that claim no more values than the column has rows for, in the two encodings that
/// LeRobot's writer uses. Without this a page header of a few bytes could ask for gigabytes.
pub(crate) struct CheckedPages {
    pages: Box<dyn PageReader>,
    values: usize,
    left: usize,
}

impl CheckedPages {
    /// A guard for a column that holds `values` values.
    pub(crate) fn new(pages: Box<dyn PageReader>, values: usize) -> Self {
        Self {
            pages,
            values,
            left: values,
        }
    }

    fn check(&mut self, page: &Page) -> Result<()> {
        let fail = |reason: String| Err(ParquetError::General(reason));
        let count = page.num_values() as usize;
        let bytes = page.buffer().len();
        if bytes > MAX_PAGE_BYTES {
            return fail(format!(
                "expected a page of at most {MAX_PAGE_BYTES} bytes, got {bytes}"
            ));
        }
        if let Page::DictionaryPage { .. } = page {
            return if count <= self.values {
                Ok(())
            } else {
                fail(format!(
                    "expected a dictionary of at most {} values, got {count}",
                    self.values
                ))
            };
        }
        match page.encoding() {
            Encoding::PLAIN | Encoding::RLE | Encoding::RLE_DICTIONARY => {}
            // The old name of the last one, which some writers still give.
            Encoding::PLAIN_DICTIONARY => {}
            other => return fail(format!("expected plain or dictionary pages, got {other}")),
        }
        match self.left.checked_sub(count) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => fail(format!(
                "expected pages of {} values together, got more",
                self.values
            )),
        }
    }
}

impl Iterator for CheckedPages {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

impl PageReader for CheckedPages {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        let page = self.pages.get_next_page()?;
        if let Some(page) = &page {
            self.check(page)?;
        }
        Ok(page)
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        self.pages.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<()> {
        self.pages.skip_next_page()
    }

    fn at_record_boundary(&mut self) -> Result<bool> {
        self.pages.at_record_boundary()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Given(Vec<Page>);

    impl Iterator for Given {
        type Item = Result<Page>;

        fn next(&mut self) -> Option<Self::Item> {
            self.get_next_page().transpose()
        }
    }

    impl PageReader for Given {
        fn get_next_page(&mut self) -> Result<Option<Page>> {
            Ok(self.0.pop())
        }

        fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
            Ok(None)
        }

        fn skip_next_page(&mut self) -> Result<()> {
            Ok(())
        }
    }

    fn data(num_values: u32, encoding: Encoding) -> Page {
        Page::DataPage {
            buf: Vec::new().into(),
            num_values,
            encoding,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        }
    }

    #[test]
    fn pages_that_claim_too_much_are_stopped() {
        let dictionary = |num_values| Page::DictionaryPage {
            buf: Vec::new().into(),
            num_values,
            encoding: Encoding::PLAIN,
            is_sorted: false,
        };
        let run = |first: Page, second: Page| {
            let given = Box::new(Given(vec![second, first]));
            let all: Result<Vec<Page>> = CheckedPages::new(given, 10).collect();
            all.map(|pages| pages.len()).map_err(|e| e.to_string())
        };
        let plain = |count| data(count, Encoding::PLAIN);
        assert_eq!(
            run(dictionary(10), data(10, Encoding::RLE_DICTIONARY)),
            Ok(2)
        );
        assert_eq!(run(plain(4), plain(6)), Ok(2));
        for (first, second, word) in [
            (plain(4), plain(7), "10 values together"),
            (plain(u32::MAX), plain(1), "10 values together"),
            (dictionary(11), plain(1), "dictionary of at most 10"),
            (
                data(1, Encoding::DELTA_BINARY_PACKED),
                plain(1),
                "plain or dictionary",
            ),
        ] {
            let error = run(first, second).unwrap_err();
            assert!(error.contains(word), "{error}");
        }
    }
}
