//! Is the body of an answer the wanted one?
//!
//! It comes in pieces. Of what is expected to be in it only the beginning is looked at; a digest is
//! of every byte. Nothing is kept of either, but for a regular expression without an automaton.

use config::model::Digest;
use md5::{Digest as _, Md5};

use crate::expect::{Ask, Matcher, Mismatch, Pattern, Progress};

/// Bytes that are looked into for what is expected. Without a digest no more is read.
pub const LOOKED_AT: usize = 4 << 20;

/// Bytes that are read where nothing is expected: a server that got so far is well.
pub const READ: usize = 64 << 10;

/// Bytes that are hashed; a longer body has no digest.
pub const HASHED: usize = 16 << 20;

/// One body on its way in.
#[derive(Debug)]
pub struct Body<'a> {
    /// None once it matched, or where nothing is expected.
    matcher: Option<Matcher<'a>>,
    digest: Option<(Md5, Digest)>,
    total: usize,
    /// Bytes after which there is no more to look for.
    enough: usize,
}

impl<'a> Body<'a> {
    /// Begins with a body of which this is wanted.
    pub fn new(expect: Option<&'a Pattern>, digest: Option<Digest>) -> Self {
        let matcher = expect.map(|pattern| pattern.matcher(LOOKED_AT, Ask::AtEnd));
        let enough = if matcher.is_some() { LOOKED_AT } else { READ };
        Self { matcher, digest: digest.map(|wanted| (Md5::new(), wanted)), total: 0, enough }
    }

    /// Takes in the next piece. [`Progress::Matched`] is that no more has to be read.
    pub fn push(&mut self, piece: &[u8]) -> Progress {
        let room = LOOKED_AT.saturating_sub(self.total);
        self.total = self.total.saturating_add(piece.len());
        match self.matcher.as_mut().map(|matcher| matcher.push(piece.get(..room).unwrap_or(piece)))
        {
            Some(Progress::Failed(mismatch)) => return Progress::Failed(mismatch),
            Some(Progress::Matched) if self.digest.is_none() => return Progress::Matched,
            Some(Progress::Matched) => self.matcher = None,
            Some(Progress::More) | None => {}
        }
        if self.total >= LOOKED_AT
            && let Some(Err(mismatch)) = self.matcher.take().map(Matcher::end)
        {
            return Progress::Failed(mismatch);
        }
        match &mut self.digest {
            Some(_) if self.total > HASHED => Progress::Failed(Mismatch::TooLong { limit: HASHED }),
            Some((digest, _)) => {
                digest.update(piece);
                Progress::More
            }
            None if self.total >= self.enough => Progress::Matched,
            None => Progress::More,
        }
    }

    /// The body is over.
    ///
    /// # Errors
    /// It is not the wanted one.
    pub fn end(self) -> Result<(), Mismatch> {
        self.matcher.map_or(Ok(()), Matcher::end)?;
        let Some((digest, wanted)) = self.digest else { return Ok(()) };
        let seen = Digest(digest.finalize().into());
        if seen == wanted { Ok(()) } else { Err(Mismatch::Digest { seen, wanted }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use config::model::Expect;
    use proptest::prelude::*;

    /// What `printf 'test page\n' | md5sum` says.
    const PAGE: (&[u8], &str) = (b"test page\n", "b40a7fcced3010e644d923d4e11fe415");

    fn digest() -> Option<Digest> {
        Some(PAGE.1.parse().unwrap())
    }

    fn holding(text: &str) -> Pattern {
        Pattern::new(&Expect::Contains(text.into())).unwrap()
    }

    /// What is said of a body that comes in pieces of this length.
    fn judge(mut body: Body<'_>, bytes: &[u8], piece: usize) -> Result<(), Mismatch> {
        for piece in bytes.chunks(piece) {
            match body.push(piece) {
                Progress::More => {}
                Progress::Matched => return Ok(()),
                Progress::Failed(mismatch) => return Err(mismatch),
            }
        }
        body.end()
    }

    #[test]
    fn another_digest_is_told_beside_the_wanted_one() {
        let seen = judge(Body::new(None, digest()), b"", 1).unwrap_err();
        assert_eq!(
            seen.to_string(),
            "has the MD5 d41d8cd98f00b204e9800998ecf8427e, wanted b40a7fcced3010e644d923d4e11fe415"
        );
    }

    #[test]
    fn what_is_expected_and_the_digest_both_have_to_be_right() {
        let page = PAGE.0;
        let (held, absent) = (holding("page"), holding("site"));
        assert_eq!(judge(Body::new(Some(&held), digest()), page, 3), Ok(()));
        let both = judge(Body::new(Some(&absent), digest()), page, 3);
        assert!(matches!(both, Err(Mismatch::Absent { .. })), "{both:?}");
        let other = judge(Body::new(Some(&held), digest()), b"test page", 3);
        assert!(matches!(other, Err(Mismatch::Digest { .. })), "{other:?}");
    }

    #[test]
    fn a_body_is_hashed_up_to_its_limit_and_then_says_so() {
        let body = vec![b'x'; HASHED];
        let wanted = Digest(Md5::digest(&body).into());
        assert_eq!(judge(Body::new(None, Some(wanted)), &body, 1 << 16), Ok(()));
        let longer = [body.as_slice(), b"x"].concat();
        let mismatch = judge(Body::new(None, Some(wanted)), &longer, 1 << 16).unwrap_err();
        assert_eq!(mismatch.to_string(), "is above 16777216 bytes, more than are hashed");
    }

    #[test]
    fn without_a_digest_no_more_is_read_than_is_looked_at() {
        let mut body = Body::new(None, None);
        assert_eq!(body.push(&vec![b'x'; READ - 1]), Progress::More);
        assert_eq!(body.push(b"x"), Progress::Matched);
        let needle = holding("needle");
        let late = [vec![b'x'; LOOKED_AT], b"needle".to_vec()].concat();
        for digest in [None, digest()] {
            let mismatch = judge(Body::new(Some(&needle), digest), &late, late.len()).unwrap_err();
            assert_eq!(mismatch.to_string(), r#"does not hold "needle""#);
        }
    }

    /// A page of a mebibyte is common, and what is looked for may stand at its very end.
    #[test]
    fn a_long_page_is_looked_into_to_its_end() {
        let page = [vec![b'x'; (4 << 20) - 6], b"needle".to_vec()].concat();
        let regex = |text: &str| Pattern::new(&Expect::Regex(text.into())).unwrap();
        for pattern in [holding("needle"), regex("ne+dle"), regex("needle$")] {
            assert_eq!(judge(Body::new(Some(&pattern), None), &page, 1 << 14), Ok(()));
        }
        let kept = regex(r"\bneedle");
        let (short, late) = ([b"x needle", &page[..1 << 20]].concat(), [b" ", &page[..]].concat());
        assert_eq!(judge(Body::new(Some(&kept), None), &short, 1 << 14), Ok(()));
        let cut = judge(Body::new(Some(&kept), None), &late, 1 << 14).unwrap_err();
        assert_eq!(cut.to_string(), r"does not match \bneedle");
    }

    proptest! {
        #[test]
        fn however_it_is_cut_the_end_is_the_same(
            bytes in proptest::collection::vec(any::<u8>(), 0..200),
            piece in 1_usize..50,
            text in "[a-c]{0,2}",
        ) {
            let wanted = Some(Digest(Md5::digest(&bytes).into()));
            let pattern = holding(&text);
            let whole = judge(Body::new(Some(&pattern), wanted), &bytes, 1000);
            prop_assert_eq!(judge(Body::new(Some(&pattern), wanted), &bytes, piece), whole);
            prop_assert_eq!(judge(Body::new(None, wanted), &bytes, piece), Ok(()));
        }
    }
}
