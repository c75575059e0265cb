"""One file per instrument; each a pymeasure Instrument or a passive part."""

import stmlab.adapters  # noqa: F401  before pymeasure's instruments import them
