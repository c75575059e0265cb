"""One file per instrument; each a pymeasure Instrument or a passive part."""
