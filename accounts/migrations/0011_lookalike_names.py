from django.db import migrations, models
from django.db.models import Value
from django.db.models.functions import Coalesce, Lower, NullIf

from core.security.lookalikes import look_of


def note_looks(apps, schema_editor):
    """Names that look like ASCII, unless another name has that look already: both stay then."""
    User = apps.get_model('accounts', 'User')
    for user in User.objects.filter(username__regex='[^ -~]').order_by('id').iterator():
        look = look_of(user.username)
        taken = User.objects.alias(folded=Lower('username')).filter(
            models.Q(folded=look) | models.Q(username_look=look)
        )
        if look and not taken.exclude(pk=user.pk).exists():
            User.objects.filter(pk=user.pk).update(username_look=look)


class Migration(migrations.Migration):
    # The index is built without holding up those who write.
    atomic = False

    dependencies = [
        ('accounts', '0010_unproven_addresses'),
    ]

    operations = [
        migrations.AddField(
            model_name='user',
            name='username_look',
            field=models.CharField(db_default='', default='', editable=False, max_length=64),
        ),
        migrations.RunPython(note_looks, migrations.RunPython.noop),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AddConstraint(
                    model_name='user',
                    constraint=models.UniqueConstraint(
                        Coalesce(NullIf('username_look', Value('')), Lower('username')),
                        name='accounts_user_username_look',
                        violation_error_message='A user with that username already exists.',
                    ),
                ),
            ],
            database_operations=[
                migrations.RunSQL(
                    'CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS accounts_user_username_look'
                    " ON accounts_user (COALESCE(NULLIF(username_look, ''), LOWER(username)))",
                    migrations.RunSQL.noop,
                ),
            ],
        ),
    ]
