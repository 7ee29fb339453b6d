"""What the back-office's templates need beside the theme's own tags."""

from django import template

from backoffice import sentences

register = template.Library()
register.filter("named", sentences.named)
