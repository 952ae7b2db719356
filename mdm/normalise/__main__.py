"""The reference of normalisers as a page: python -m mdm.normalise > docs/normalisers.md"""

from __future__ import annotations

import sys

from mdm.normalise import page

sys.stdout.write(page())
