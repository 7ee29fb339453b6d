from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [('core', '0003_audit_by_platform')]

    # Without a model, as Django's own table of migrations: what empties the models' tables does not empty this one.
    operations = [
        migrations.RunSQL(
            'CREATE TABLE core_sqlfile (name text PRIMARY KEY, digest text NOT NULL, installed_at timestamptz NOT NULL)',
            reverse_sql='DROP TABLE core_sqlfile',
        ),
    ]
