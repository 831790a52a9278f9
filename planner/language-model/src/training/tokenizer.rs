//! The tokenizer: pieces of words, learnt from the sentences.

use tokenizers::models::bpe::{BPE, BpeTrainer};
use tokenizers::normalizers::{Lowercase, NFKC, Replace, Sequence};
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::{AddedToken, NormalizerWrapper, Tokenizer, TokenizerImpl};
use vola_phrasebook::{Sampler, Split};

use crate::embedded_template::{ANSWER, BEGIN, COMMAND, END, QUESTION};
use crate::{LanguageModelError, Result};

/// Sentences in which pieces are counted, for each piece that is learnt.
const SENTENCES: usize = 15;

/// Letters that are typed for one another, and marks that are left out.
const ALIKE: [(&str, &str); 10] = [
    ("\u{64a}", "\u{6cc}"),
    ("\u{643}", "\u{6a9}"),
    ("\u{647}", "\u{6c1}"),
    ("\u{2019}", "'"),
    ("\u{64e}", ""),
    ("\u{650}", ""),
    ("\u{64f}", ""),
    ("\u{651}", ""),
    ("\u{654}", ""),
    ("\u{200c}", ""),
];

/// Learns a tokenizer of `size` pieces; the same for the same seed.
///
/// # Errors
/// A failing phrase book or trainer.
pub(super) fn learn(size: usize, seed: u64) -> Result<Tokenizer> {
    let fail = |error: tokenizers::Error| LanguageModelError::Tokenizer {
        reason: error.to_string(),
    };
    let sampler = Sampler::new(Split::Train)?;
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut texts = Vec::with_capacity(2 * SENTENCES * size);
    for _ in 0..SENTENCES * size {
        let sample = sampler.draw(&mut rng);
        texts.push(sample.sentence);
        texts.push(sample.meaning);
    }
    let mut normalizers: Vec<NormalizerWrapper> = vec![NFKC.into(), Lowercase.into()];
    for (from, to) in ALIKE {
        normalizers.push(Replace::new(from, to).map_err(fail)?.into());
    }
    let special = [BEGIN, END, COMMAND, QUESTION, ANSWER]
        .map(|token| AddedToken::from(token.to_owned(), true))
        .to_vec();
    let mut trainer = BpeTrainer::builder()
        .vocab_size(size)
        .min_frequency(2)
        .show_progress(false)
        .special_tokens(special)
        .initial_alphabet(ByteLevel::alphabet().into_iter().collect())
        .build();
    type Pieces = TokenizerImpl<BPE, Sequence, ByteLevel, ByteLevel, ByteLevel>;
    let mut tokenizer = Pieces::new(BPE::default());
    tokenizer
        .with_normalizer(Some(Sequence::new(normalizers)))
        .map_err(fail)?;
    tokenizer.with_pre_tokenizer(Some(ByteLevel::new(true, true, true)));
    tokenizer.with_decoder(Some(ByteLevel::default()));
    tokenizer
        .train(&mut trainer, texts.into_iter())
        .map_err(fail)?;
    Ok(Tokenizer::from(tokenizer))
}
