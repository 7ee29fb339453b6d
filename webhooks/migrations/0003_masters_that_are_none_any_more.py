from django.db import migrations


class Migration(migrations.Migration):
    """Installed functions once; they are in webhooks/sql now."""

    dependencies = [('webhooks', '0002_webhook_functions'), ('accounts', '0005_language_and_time_zone')]

    operations = []
