# SPDX-License-Identifier: Apache-2.0
"""For data scientists: notebooks, and the scratch installation that they work on."""
