"""django-filter as every list of the API uses it: a value that cannot be one is refused, never ignored."""

from typing import Any, ClassVar

from django import forms
from django.db.models import QuerySet
from django_filters import rest_framework as filters
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.views import APIView

from core.wire.fields import QueryIdField, first_message


class StrictFilterSet(filters.FilterSet):
    """A FilterSet that builds its form class once, not for each request."""

    _form_class: ClassVar[Any]

    def get_form_class(self) -> Any:
        cls = type(self)
        if "_form_class" not in cls.__dict__:
            cls._form_class = super().get_form_class()
        return cls._form_class


class StrictFilterBackend(filters.DjangoFilterBackend):
    """Filters by the action's ``filterset_class``. Raises ``ValidationError`` for the first value it cannot read."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: APIView) -> QuerySet[Any]:
        filterset = self.get_filterset(request, queryset, view)
        if filterset is None:
            return queryset
        if not filterset.is_valid():
            name, messages = next(iter(filterset.errors.get_json_data().items()))
            raise ValidationError({name: [messages[0]["message"]]})
        chosen: QuerySet[Any] = filterset.qs
        return chosen


class IdFormField(forms.Field):
    """An id in a query, as every other route reads one: present means digits, an empty text is not "all"."""

    def to_python(self, value: str | None) -> int | None:
        if value is None:
            return None
        try:
            return QueryIdField().to_internal_value(value)
        except ValidationError as error:
            raise forms.ValidationError(first_message(error.detail)) from error


class IdFilter(filters.Filter):
    """Equality with an id."""

    field_class = IdFormField
