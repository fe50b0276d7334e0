"""Where `checkoutgen` and `python -m checkoutgen` start."""

import gc

# A command allocates much and soon ends: the usual threshold of 700 objects would cost it a tenth of its time.
gc.set_threshold(100_000, 20, 100)

from checkoutgen.cli import main  # noqa: E402

if __name__ == "__main__":
    main()
