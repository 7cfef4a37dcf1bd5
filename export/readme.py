"""A card in, a page of prose out: the README.md of a model folder."""

from models.card import NONE, ModelCard

ENCODER_WORDS = {
    "pose": "It looks at the dancer's seventeen joints, which a pose network finds in each frame, and not at the "
    "picture; so clothes, studio and light matter little.",
    "image": "It looks at the whole picture through an image network; so it knows dancers, clothes and studios like "
    "those it was trained on, and others less well.",
}


def model_page(card: ModelCard) -> str:
    """What the model is, what it was trained on, how good it is, and where its limits are."""
    named = [move for move in card.moves if move.name != NONE]
    span_s = card.window / card.sample_hz
    refuses = len(named) < len(card.moves)
    sections = [
        f"# {card.name}",
        f"Recognises {', '.join(move.display for move in named)} in a video of one dancer, live. "
        f"{ENCODER_WORDS[card.encoder.kind]}",
        f"Run it with `pointe live 0 --model THIS_FOLDER`. It looks at {card.sample_hz:g} frames a second and decides "
        f"by the last {span_s:g} s" + (f", about the moment {card.delay_s:.2g} s ago." if card.delay_s else "."),
        "## Trained on",
        _sentence(card.provenance.trained_on),
        *([card.provenance.notes] if card.provenance.notes else []),
        "## Measured",
        "\n".join(f"- {name}: {value}" for name, value in card.measured.items()) or "Nothing was measured.",
        "## When a move is shown",
        "A move begins when its probability, averaged over "
        f"{card.smoothing_s:g} s, reaches the first threshold, and ends when it falls below the second. "
        "It is told if it lasts as long as the table says and is nearer the first threshold than the second then. "
        "Moves of one family add their probabilities for this, and the likeliest gives the name.",
        "| move | family | begins | ends | at least |\n|---|---|---|---|---|\n"
        + "\n".join(
            f"| {m.display} | {_words(m.family)} | {m.enter:g} | {m.leave:g} | {m.min_duration_s:g} s |" for m in named
        ),
        "## Limits",
        "It follows one dancer, of whom the whole body should be in the picture. "
        + (
            "Movement that is none of its moves is mostly, not always, left without a name."
            if refuses
            else "It was trained without examples of other movement, so it calls whatever it sees one of its moves."
        ),
        "## Files",
        f"- `card.json`: all of the above, for programs\n"
        f"- `encoder.onnx`: {card.encoder.name}, sha256 {card.encoder.sha256}\n"
        f"- `head.onnx`: the network over the window ({card.head.name}), sha256 {card.head.sha256}",
        *([f"Licence: {card.provenance.licence}"] if card.provenance.licence else []),
    ]
    return "\n\n".join(sections) + "\n"


def _words(family: str | None) -> str:
    return family.replace("_", " ") if family else "-"


def _sentence(text: str) -> str:
    text = text[:1].upper() + text[1:]
    return text if text.endswith(".") else text + "."
