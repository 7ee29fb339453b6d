import accounts.models
from django.db import migrations, models


class Migration(migrations.Migration):
    # Indexes are built and dropped without holding up those who write.
    atomic = False

    dependencies = [
        ('accounts', '0009_game_tokens_end'),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveConstraint(
                    model_name='user',
                    name='accounts_user_email_any_case',
                ),
                migrations.AlterField(
                    model_name='user',
                    name='wallet_address',
                    field=models.CharField(blank=True, max_length=128, null=True, validators=[accounts.models.refuse_unfit_wallet_addresses], verbose_name='wallet address'),
                ),
                migrations.AddIndex(
                    model_name='user',
                    index=models.Index(fields=['wallet_address'], name='accounts_user_wallet'),
                ),
            ],
            database_operations=[
                migrations.RunSQL(
                    [
                        'DROP INDEX CONCURRENTLY IF EXISTS accounts_user_email_any_case',
                        'ALTER TABLE accounts_user DROP CONSTRAINT IF EXISTS accounts_user_wallet_address_key',
                        'DROP INDEX CONCURRENTLY IF EXISTS accounts_user_wallet_address_537e1a6c_like',
                        'CREATE INDEX CONCURRENTLY IF NOT EXISTS accounts_user_wallet ON accounts_user (wallet_address)',
                    ],
                    migrations.RunSQL.noop,
                ),
            ],
        ),
    ]
