"""`python -m helpers.demo` serves the page."""

from helpers.demo import page

page.main()
