//! Pictures that answer questions of a form: photos and signatures.
//!
//! Which of them a question asks for, its catalogue says. What fits no question
//! is written as what it is, and the rules refuse it.

use gridwalk_domain::Catalogue;
use gridwalk_domain::catalogue::{ANSWER, FieldKind};
use gridwalk_media::Kind;
use serde_json::{Value, json};
use std::collections::BTreeMap;

use super::{NewAttachment, NewPhoto};

/// A picture that answers a question of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PictureAnswer {
    /// The code of the question, one for photos or a signature.
    pub question: String,
    /// The picture; metadata is taken out of it.
    pub picture: NewPhoto,
}

/// A picture and what its question asks for.
pub(super) struct Picture<'a> {
    answer: &'a PictureAnswer,
    signature: bool,
}

/// What the questions of a category ask for.
pub(super) fn pictures<'a>(
    answers: &'a [PictureAnswer],
    catalogue: &Catalogue,
    category: &str,
    sub: Option<&str>,
) -> Vec<Picture<'a>> {
    let signs = |code: &str| {
        let mut questions = catalogue.category(category)?.questions(sub);
        let question = questions.find(|question| question.code == code)?;
        Some(question.kind == FieldKind::Signature)
    };
    let all = answers.iter().map(|answer| Picture {
        answer,
        signature: signs(&answer.question).unwrap_or(false),
    });
    all.collect()
}

impl Picture<'_> {
    /// The picture as it is to be stored.
    pub(super) fn attachment(&self) -> NewAttachment {
        let mut new = NewAttachment::from(self.answer.picture.clone());
        if self.signature {
            new.wanted = Some(Kind::Signature);
        }
        new
    }
}

/// Writes references to the pictures into the fields that hold the answers:
/// photos behind those that stand there, a signature by itself.
pub(super) fn fill(
    fields: &mut BTreeMap<String, Value>,
    pictures: &[Picture<'_>],
    references: impl IntoIterator<Item = Value>,
) {
    for (picture, reference) in pictures.iter().zip(references) {
        let field = format!("{ANSWER}{}", picture.answer.question);
        let answer = match fields.remove(&field) {
            None if picture.signature => reference,
            None => json!([reference]),
            Some(Value::Array(mut photos)) => {
                photos.push(reference);
                Value::Array(photos)
            }
            Some(other) => json!([other, reference]),
        };
        fields.insert(field, answer);
    }
}
