"""The public functions, by subject. Each is declared once, with ``weft._public.public``.

``weft`` and ``weft.nn.functional`` export them; a new subject is named there too. ``__all__`` in
each file is written by ``make generate``.
"""
