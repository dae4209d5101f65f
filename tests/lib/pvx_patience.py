# SPDX-License-Identifier: Apache-2.0
"""pvx_patience - how long tests wait for what must come.

Long: a busy machine is no fault of the program's. Where tests are meant to
fail, as when a check is switched off, $PVX_PATIENCE_S makes it short.
"""
import os

PATIENCE_S = float(os.environ.get("PVX_PATIENCE_S", "60"))
