"""Holds the handoff marker back from a text that arrives in pieces. Pure."""


class HandoffFilter:
    """What of an answer the customer may read.

    Text that might still become part of the marker is held until it can't. A removed marker joins
    what stands around it, so a marker may be assembled from nested ones: therefore everything is
    held that is a row of beginnings of the marker, such as `[[hand` for `[handoff]`. The result
    does not depend on how the text was cut into pieces.
    """

    def __init__(self, marker: str) -> None:
        """Hold back `marker`, a text of at least one character."""
        if not marker:
            raise ValueError("a marker has at least one character")
        self._marker = marker
        self._held = ""
        self._starts: list[int] = []
        """For each end in the held text: where the longest row of beginnings up to it starts."""
        self._shown = False
        self.found = False

    def feed(self, piece: str) -> str:
        """Take the next piece; return what can be shown now."""
        if not self._held and not self.found and self._marker[0] not in piece:
            self._shown = self._shown or bool(piece)
            return piece
        return "".join([self._take(character) for character in piece])

    def finish(self, *, cut_short: bool = False) -> str:
        """What can be shown of the rest.

        With `cut_short` (the length limit ended the answer) a begun marker at the end is dropped;
        where nothing else was said, it counts as the marker.
        """
        rest, self._held, self._starts = self._held, "", []
        if cut_short and rest:
            self.found = self.found or not self._shown
            return ""
        return rest

    def _take(self, character: str) -> str:
        if self.found and not self._shown and not self._held and character.isspace():
            return ""  # between a leading marker and the sentence after it
        self._held += character
        if self._held.endswith(self._marker):
            self._held = self._held[: -len(self._marker)]
            del self._starts[len(self._held) :]
            self.found = True
            return ""
        start = self._start_of_row()
        ready, self._held = self._held[:start], self._held[start:]
        self._starts = [max(0, at - start) for at in self._starts[start:]]
        if self._held:
            self._starts.append(0)
        self._shown = self._shown or bool(ready)
        return ready

    def _start_of_row(self) -> int:
        end = len(self._held)
        starts = [
            self._starts[end - n - 1] if end > n else 0
            for n in range(1, min(len(self._marker), end + 1))
            if self._marker.startswith(self._held[-n:])
        ]
        return min(starts, default=end)
