"""A synthetic province: report cards of made-up pupils in the true mix of levels, sizes and communes of Hưng Yên.

The same seed gives the same bytes. Marks and results agree with the circulars; defects are planted by name. The story
starts in `cards.py`; the province and its schools are in `schools.py`.
"""

from hocba_hub.sandbox.synthetic.cards import generate, revise
from hocba_hub.sandbox.synthetic.defects import Planted, generate_with_defects

__all__ = ["Planted", "generate", "generate_with_defects", "revise"]
