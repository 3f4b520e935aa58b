//! `aws_db_instance`: a relational database.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_rds::types::{CloudwatchLogsExportConfiguration, DbInstance as RdsInstance};
use topo_sdk::{Attribute, Block, Diagnostics, Path, Schema, Type, Value};

use crate::core::check;
use crate::core::clients::Aws;
use crate::core::contract::{Call, Found, Read, Resource, Watch};
use crate::core::error::{ApiError, OrGone, SdkResult};
use crate::core::iam::time;
use crate::core::names;
use crate::core::rds;
use crate::core::tags::tagged;
use crate::core::view::{View, any_changed, changed, number, some_strings, string, strings, text};
use crate::core::wait::{Status, persist};

/// The type.
pub(crate) struct DbInstance;

/// Arguments that a modification sends.
const MODIFIABLE: &[&str] = &[
    "allocated_storage",
    "auto_minor_version_upgrade",
    "backup_retention_period",
    "backup_window",
    "ca_cert_identifier",
    "copy_tags_to_snapshot",
    "db_subnet_group_name",
    "deletion_protection",
    "enabled_cloudwatch_logs_exports",
    "engine_version",
    "iam_database_authentication_enabled",
    "instance_class",
    "iops",
    "license_model",
    "maintenance_window",
    "manage_master_user_password",
    "master_user_secret_kms_key_id",
    "max_allocated_storage",
    "monitoring_interval",
    "monitoring_role_arn",
    "multi_az",
    "network_type",
    "option_group_name",
    "parameter_group_name",
    "password",
    "password_wo_version",
    "performance_insights_enabled",
    "performance_insights_retention_period",
    "port",
    "publicly_accessible",
    "storage_type",
    "vpc_security_group_ids",
];

#[async_trait]
impl Resource for DbInstance {
    fn name(&self) -> &'static str {
        "aws_db_instance"
    }

    fn schema(&self) -> Schema {
        let block = placement(sizing(identity(
            Block::new().describe("A relational database."),
        )));
        let minutes = |m: u64| Duration::from_secs(m * 60);
        Schema::new(tagged(security(upkeep(block)))).timeouts([
            ("create", minutes(40)),
            ("update", minutes(80)),
            ("delete", minutes(60)),
        ])
    }

    fn validate(&self, config: &Value, found: &mut Diagnostics) {
        check::conflicts(config, &["identifier", "identifier_prefix"], found);
        check::conflicts(
            config,
            &["password", "password_wo", "manage_master_user_password"],
            found,
        );
        for name in ["identifier", "identifier_prefix"] {
            let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            check::name(
                config,
                name,
                63,
                allowed,
                "lower-case letters, digits and hyphens",
                found,
            );
            if config
                .get_str(name)
                .is_some_and(|n| !n.starts_with(|c: char| c.is_ascii_lowercase()))
            {
                found.push(check::invalid(
                    Path::attribute(name),
                    "It must start with a letter",
                ));
            }
        }
        check::between(config, "backup_retention_period", 0..=35, found);
        let set = |name| config.get(name).is_some_and(|v: &Value| !v.is_null());
        for name in ["engine", "username"] {
            if !set(name) {
                found.push(check::invalid(
                    Path::attribute(name),
                    "It is needed to make a database",
                ));
            }
        }
    }

    fn recomputed(&self, prior: &Value, planned: &Value) -> Vec<&'static str> {
        let mut names = vec!["latest_restorable_time", "status"];
        if changed(prior, planned, "engine_version") {
            names.push("engine_version_actual");
        }
        if changed(prior, planned, "port") {
            names.push("endpoint");
        }
        if changed(prior, planned, "manage_master_user_password") {
            names.push("master_user_secret");
        }
        names
    }

    fn from_id(&self, id: &str) -> Result<Value, String> {
        Ok(Value::object([
            ("id", Value::from(id)),
            ("identifier", Value::from(id)),
        ]))
    }

    async fn read(&self, aws: &Aws, known: &Value) -> Read {
        let Some(id) = known.get_str("identifier") else {
            return Ok(None);
        };
        let found = describe(aws, id).await?;
        Ok(found.map(|db| view(aws, &db, known)))
    }

    async fn create(&self, call: &Call<'_>, planned: &Value) -> Result<Value, Diagnostics> {
        let id = names::given_or_made(planned, "identifier", "identifier_prefix", call.token());
        let password = string(planned, "password").or_else(|| string(call.config, "password_wo"));
        // The monitoring role may have been made a moment ago.
        let role_unknown = |e: &ApiError| {
            e.code() == "InvalidParameterValue"
                && e.message().contains("IAM role ARN value is invalid")
        };
        persist(call.propagation(), role_unknown, || async {
            call.rds()
                .create_db_instance()
                .db_instance_identifier(&id)
                .set_engine(string(planned, "engine"))
                .set_engine_version(string(planned, "engine_version"))
                .set_db_instance_class(string(planned, "instance_class"))
                .set_allocated_storage(number(planned, "allocated_storage"))
                .set_max_allocated_storage(
                    number(planned, "max_allocated_storage").filter(|n| *n > 0),
                )
                .set_storage_type(string(planned, "storage_type"))
                .set_iops(number(planned, "iops").filter(|n| *n > 0))
                .set_storage_throughput(number(planned, "storage_throughput").filter(|n| *n > 0))
                .set_storage_encrypted(planned.get_bool("storage_encrypted"))
                .set_kms_key_id(string(planned, "kms_key_id"))
                .set_db_name(string(planned, "db_name"))
                .set_master_username(string(planned, "username"))
                .set_master_user_password(password.clone())
                .set_manage_master_user_password(
                    planned
                        .get_bool("manage_master_user_password")
                        .filter(|m| *m),
                )
                .set_master_user_secret_kms_key_id(string(planned, "master_user_secret_kms_key_id"))
                .set_port(number(planned, "port"))
                .set_db_subnet_group_name(string(planned, "db_subnet_group_name"))
                .set_vpc_security_group_ids(some_strings(planned, "vpc_security_group_ids"))
                .set_db_parameter_group_name(string(planned, "parameter_group_name"))
                .set_option_group_name(string(planned, "option_group_name"))
                .set_availability_zone(string(planned, "availability_zone"))
                .set_multi_az(planned.get_bool("multi_az"))
                .set_network_type(string(planned, "network_type"))
                .set_publicly_accessible(planned.get_bool("publicly_accessible"))
                .set_backup_retention_period(number(planned, "backup_retention_period"))
                .set_preferred_backup_window(string(planned, "backup_window"))
                .set_preferred_maintenance_window(string(planned, "maintenance_window"))
                .set_copy_tags_to_snapshot(planned.get_bool("copy_tags_to_snapshot"))
                .set_deletion_protection(planned.get_bool("deletion_protection"))
                .set_auto_minor_version_upgrade(planned.get_bool("auto_minor_version_upgrade"))
                .set_enable_iam_database_authentication(
                    planned.get_bool("iam_database_authentication_enabled"),
                )
                .set_enable_performance_insights(planned.get_bool("performance_insights_enabled"))
                .set_performance_insights_kms_key_id(string(
                    planned,
                    "performance_insights_kms_key_id",
                ))
                .set_performance_insights_retention_period(number(
                    planned,
                    "performance_insights_retention_period",
                ))
                .set_enable_cloudwatch_logs_exports(some_strings(
                    planned,
                    "enabled_cloudwatch_logs_exports",
                ))
                .set_monitoring_interval(number(planned, "monitoring_interval"))
                .set_monitoring_role_arn(string(planned, "monitoring_role_arn"))
                .set_ca_certificate_identifier(string(planned, "ca_cert_identifier"))
                .set_license_model(string(planned, "license_model"))
                .set_character_set_name(string(planned, "character_set_name"))
                .set_timezone(string(planned, "timezone"))
                .set_tags(rds::list(&call.tags.wanted(planned)))
                .send()
                .await
                .api(call, "rds:CreateDBInstance")
        })
        .await?;
        let made = planned
            .clone()
            .with("identifier", Value::from(id.as_str()))
            .with("id", Value::from(id.as_str()));
        call.accepted(&made).await?;
        call.until(&format!("database {id}"), || available(call, &id))
            .await?;
        Ok(made)
    }

    async fn update(
        &self,
        call: &Call<'_>,
        prior: &Value,
        planned: &Value,
    ) -> Result<(), Diagnostics> {
        let id = prior.get_str("identifier").unwrap_or_default();
        if any_changed(prior, planned, MODIFIABLE) || changed(prior, planned, "storage_throughput")
        {
            modify(call, id, prior, planned).await?;
            call.until(&format!("database {id}"), || settled(call, id, planned))
                .await?;
        }
        rds::retag(call, prior, planned).await
    }

    async fn delete(&self, call: &Call<'_>, prior: &Value) -> Result<(), Diagnostics> {
        let id = prior.get_str("identifier").unwrap_or_default();
        let skip = prior.get_bool("skip_final_snapshot") == Some(true);
        let snapshot = string(prior, "final_snapshot_identifier").filter(|_| !skip);
        if !skip && snapshot.is_none() {
            return Err(topo_sdk::Diagnostic::error(
                format!("Database {id} needs a name for its final snapshot"),
                "Set final_snapshot_identifier, or skip_final_snapshot = true to lose the data, apply, then destroy.",
            )
            .at(Path::attribute("final_snapshot_identifier"))
            .into());
        }
        let deleted = call
            .rds()
            .delete_db_instance()
            .db_instance_identifier(id)
            .skip_final_snapshot(skip)
            .set_final_db_snapshot_identifier(snapshot)
            .set_delete_automated_backups(prior.get_bool("delete_automated_backups"))
            .send()
            .await
            .api(call, "rds:DeleteDBInstance");
        match deleted {
            // An earlier run has asked for it already.
            Err(e)
                if e.code() == "InvalidDBInstanceState"
                    && e.message().contains("being deleted") => {}
            other => {
                if other.or_gone()?.is_none() {
                    return Ok(());
                }
            }
        }
        call.until(&format!("the deletion of database {id}"), || async {
            Ok(match describe(call, id).await? {
                None => Status::Ready(()),
                Some(db) => Status::Pending(format!(
                    "database is {}",
                    db.db_instance_status().unwrap_or_default()
                )),
            })
        })
        .await
    }

    async fn find(&self, aws: &Aws, planned: &Value, token: &str) -> Result<Found, Diagnostics> {
        let id = names::given_or_made(planned, "identifier", "identifier_prefix", token);
        let named = Value::object([("identifier", Value::from(id.as_str()))]);
        Ok(Found::Sure(describe(aws, &id).await?.map(|_| named)))
    }

    async fn settle(&self, watch: &Watch<'_>, known: &Value) -> Result<(), Diagnostics> {
        let id = known.get_str("identifier").unwrap_or_default();
        watch
            .until(&format!("database {id}"), || available(watch.aws, id))
            .await
    }
}

fn made(text: &str) -> Attribute {
    Attribute::optional_computed(Type::String).describe(text)
}

fn computed(text: &str) -> Attribute {
    Attribute::computed(Type::String).describe(text)
}

fn flag(default: bool, text: &str) -> Attribute {
    Attribute::optional(Type::Bool)
        .default(default)
        .describe(text)
}

fn identity(block: Block) -> Block {
    block
        .attr("id", computed("Resource id of the database."))
        .attr("arn", computed("ARN of the database."))
        .attr("resource_id", computed("Resource id of the database."))
        .attr("status", computed("Status."))
        .attr("address", computed("Host name."))
        .attr("endpoint", computed("Host name and port."))
        .attr("hosted_zone_id", computed("Hosted zone of the host name."))
        .attr(
            "latest_restorable_time",
            computed("How late a restore can go, RFC 3339."),
        )
        .attr("engine_version_actual", computed("The version that runs."))
        .attr(
            "identifier",
            made("Name of the database; made up otherwise.").force_new(),
        )
        .attr(
            "identifier_prefix",
            made("Start of a made-up name.").force_new(),
        )
        .attr("engine", made("Engine, such as postgres.").force_new())
        .attr(
            "engine_version",
            made("Version; \"16\" means the newest 16."),
        )
        .attr("db_name", made("Database to make in it.").force_new())
        .attr("username", made("Name of the master user.").force_new())
        .attr(
            "character_set_name",
            made("Character set (Oracle).").force_new(),
        )
        .attr("timezone", made("Time zone (SQL Server).").force_new())
        .attr("license_model", made("License model."))
}

fn sizing(block: Block) -> Block {
    let number = || Attribute::optional_computed(Type::Number);
    block
        .attr(
            "instance_class",
            Attribute::required(Type::String).describe("Instance class, such as db.t4g.medium."),
        )
        .attr("allocated_storage", number().describe("Storage in GiB."))
        .attr(
            "max_allocated_storage",
            Attribute::optional(Type::Number)
                .describe("How far storage may grow by itself, in GiB."),
        )
        .attr("storage_type", made("gp2, gp3, io1, io2 or standard."))
        .attr(
            "iops",
            number().describe("Provisioned operations per second."),
        )
        .attr(
            "storage_throughput",
            number().describe("Throughput in MiB per second (gp3)."),
        )
        .attr(
            "storage_encrypted",
            Attribute::optional(Type::Bool)
                .force_new()
                .describe("Encrypt the storage."),
        )
        .attr("kms_key_id", made("KMS key of the storage.").force_new())
}

fn placement(block: Block) -> Block {
    block
        .attr(
            "port",
            Attribute::optional_computed(Type::Number).describe("Port."),
        )
        .attr("db_subnet_group_name", made("Subnet group."))
        .attr(
            "vpc_security_group_ids",
            Attribute::optional_computed(Type::set(Type::String)).describe("Security groups."),
        )
        .attr("availability_zone", made("Availability zone.").force_new())
        .attr(
            "multi_az",
            Attribute::optional_computed(Type::Bool).describe("Keep a standby in another zone."),
        )
        .attr("network_type", made("IPV4 or DUAL."))
        .attr(
            "publicly_accessible",
            flag(false, "Give it a public address."),
        )
        .attr("parameter_group_name", made("Parameter group."))
        .attr("option_group_name", made("Option group."))
        .attr("ca_cert_identifier", made("Certificate authority."))
}

fn upkeep(block: Block) -> Block {
    let number = || Attribute::optional_computed(Type::Number);
    block
        .attr(
            "apply_immediately",
            flag(false, "Make changes now, not in the maintenance window."),
        )
        .attr(
            "allow_major_version_upgrade",
            Attribute::optional(Type::Bool).describe("Let a change of version be a major one."),
        )
        .attr(
            "auto_minor_version_upgrade",
            flag(true, "Take minor versions in the maintenance window."),
        )
        .attr(
            "backup_retention_period",
            number().describe("Days that backups are kept; 0 for none."),
        )
        .attr("backup_window", made("Daily window in UTC, hh:mm-hh:mm."))
        .attr(
            "maintenance_window",
            made("Weekly window in UTC, ddd:hh:mm-ddd:hh:mm."),
        )
        .attr(
            "copy_tags_to_snapshot",
            flag(false, "Give snapshots the tags."),
        )
        .attr(
            "delete_automated_backups",
            flag(true, "Delete backups with the database."),
        )
        .attr("deletion_protection", flag(false, "Refuse to be deleted."))
        .attr(
            "skip_final_snapshot",
            flag(false, "Delete without a last snapshot."),
        )
        .attr(
            "final_snapshot_identifier",
            Attribute::optional(Type::String).describe("Name of the last snapshot."),
        )
        .attr(
            "enabled_cloudwatch_logs_exports",
            Attribute::optional(Type::set(Type::String)).describe("Logs to export."),
        )
        .attr(
            "monitoring_interval",
            Attribute::optional(Type::Number)
                .default(0)
                .describe("Seconds between enhanced metrics; 0 for none."),
        )
        .attr(
            "monitoring_role_arn",
            made("Role that delivers enhanced metrics."),
        )
        .attr(
            "performance_insights_enabled",
            flag(false, "Collect Performance Insights."),
        )
        .attr(
            "performance_insights_kms_key_id",
            made("KMS key of Performance Insights.").force_new(),
        )
        .attr(
            "performance_insights_retention_period",
            number().describe("Days that Performance Insights are kept."),
        )
}

fn security(block: Block) -> Block {
    let secret = Type::object([
        ("kms_key_id", Type::String),
        ("secret_arn", Type::String),
        ("secret_status", Type::String),
    ]);
    block
        .attr(
            "password",
            Attribute::optional(Type::String)
                .sensitive()
                .describe("Password of the master user; kept in the state."),
        )
        .attr(
            "password_wo",
            Attribute::optional(Type::String)
                .sensitive()
                .write_only()
                .describe("Password of the master user; not kept anywhere."),
        )
        .attr(
            "password_wo_version",
            Attribute::optional(Type::Number).describe("Raise it to send a new password_wo."),
        )
        .attr(
            "manage_master_user_password",
            Attribute::optional(Type::Bool)
                .describe("Let RDS keep the password in Secrets Manager."),
        )
        .attr(
            "master_user_secret_kms_key_id",
            made("KMS key of that secret."),
        )
        .attr(
            "master_user_secret",
            Attribute::computed(Type::list(secret)).describe("That secret."),
        )
        .attr(
            "iam_database_authentication_enabled",
            Attribute::optional(Type::Bool).describe("Let IAM identities sign in."),
        )
}

/// Sends what changed, and nothing else: a modification repeats what it is given.
async fn modify(
    call: &Call<'_>,
    id: &str,
    prior: &Value,
    planned: &Value,
) -> Result<(), Diagnostics> {
    let text = |name: &str| string(planned, name).filter(|_| changed(prior, planned, name));
    let int = |name: &str| number(planned, name).filter(|_| changed(prior, planned, name));
    let flag = |name: &str| {
        planned
            .get_bool(name)
            .filter(|_| changed(prior, planned, name))
    };
    let password = text("password").or_else(|| {
        string(call.config, "password_wo")
            .filter(|_| changed(prior, planned, "password_wo_version"))
    });
    let logs = changed(prior, planned, "enabled_cloudwatch_logs_exports").then(|| {
        let (old, new) = (
            strings(prior, "enabled_cloudwatch_logs_exports"),
            strings(planned, "enabled_cloudwatch_logs_exports"),
        );
        let off = old.iter().filter(|l| !new.contains(l)).cloned();
        let on = new.iter().filter(|l| !old.contains(l)).cloned();
        CloudwatchLogsExportConfiguration::builder()
            .set_enable_log_types(Some(on.collect()))
            .set_disable_log_types(Some(off.collect()))
            .build()
    });
    // Storage of a provisioned kind is described as a whole.
    let storage = any_changed(
        prior,
        planned,
        &[
            "allocated_storage",
            "iops",
            "storage_throughput",
            "storage_type",
        ],
    );
    let size = |name: &str| number(planned, name).filter(|n| storage && *n > 0);
    let groups = changed(prior, planned, "vpc_security_group_ids")
        .then(|| strings(planned, "vpc_security_group_ids"));
    // Taking away the bound means bounding by what there is (source: RDS user guide).
    let bound = changed(prior, planned, "max_allocated_storage")
        .then(|| {
            number(planned, "max_allocated_storage")
                .filter(|n| *n > 0)
                .or(number(planned, "allocated_storage"))
        })
        .flatten();
    call.rds()
        .modify_db_instance()
        .db_instance_identifier(id)
        .set_apply_immediately(planned.get_bool("apply_immediately"))
        .set_allow_major_version_upgrade(planned.get_bool("allow_major_version_upgrade"))
        .set_allocated_storage(size("allocated_storage"))
        .set_iops(size("iops"))
        .set_storage_throughput(size("storage_throughput"))
        .set_storage_type(text("storage_type"))
        .set_max_allocated_storage(bound)
        .set_auto_minor_version_upgrade(flag("auto_minor_version_upgrade"))
        .set_backup_retention_period(int("backup_retention_period"))
        .set_preferred_backup_window(text("backup_window"))
        .set_preferred_maintenance_window(text("maintenance_window"))
        .set_ca_certificate_identifier(text("ca_cert_identifier"))
        .set_copy_tags_to_snapshot(flag("copy_tags_to_snapshot"))
        .set_db_subnet_group_name(text("db_subnet_group_name"))
        .set_deletion_protection(flag("deletion_protection"))
        .set_cloudwatch_logs_export_configuration(logs)
        .set_engine_version(text("engine_version"))
        .set_enable_iam_database_authentication(flag("iam_database_authentication_enabled"))
        .set_db_instance_class(text("instance_class"))
        .set_license_model(text("license_model"))
        .set_manage_master_user_password(flag("manage_master_user_password"))
        .set_master_user_secret_kms_key_id(text("master_user_secret_kms_key_id"))
        .set_master_user_password(password)
        .set_monitoring_interval(int("monitoring_interval"))
        .set_monitoring_role_arn(text("monitoring_role_arn"))
        .set_multi_az(flag("multi_az"))
        .set_network_type(text("network_type"))
        .set_option_group_name(text("option_group_name"))
        .set_db_parameter_group_name(text("parameter_group_name"))
        .set_enable_performance_insights(flag("performance_insights_enabled"))
        .set_performance_insights_retention_period(int("performance_insights_retention_period"))
        .set_db_port_number(int("port"))
        .set_publicly_accessible(flag("publicly_accessible"))
        .set_vpc_security_group_ids(groups)
        .send()
        .await
        .api(call, "rds:ModifyDBInstance")?;
    Ok(())
}

async fn describe(aws: &Aws, id: &str) -> Result<Option<RdsInstance>, Diagnostics> {
    let answer = aws
        .rds()
        .describe_db_instances()
        .db_instance_identifier(id)
        .send()
        .await;
    let answer = answer.api(aws, "rds:DescribeDBInstances").or_gone()?;
    Ok(answer.and_then(|a| a.db_instances?.into_iter().next()))
}

/// Statuses that do not pass by themselves (source: "Viewing DB instance status", RDS user guide).
fn is_failed(status: &str) -> bool {
    matches!(
        status,
        "failed"
            | "incompatible-create"
            | "incompatible-network"
            | "incompatible-option-group"
            | "incompatible-parameters"
            | "incompatible-restore"
            | "insufficient-capacity"
            | "restore-error"
            | "storage-full"
            | "inaccessible-encryption-credentials"
    )
}

async fn available(aws: &Aws, id: &str) -> Result<Status<()>, Diagnostics> {
    let Some(db) = describe(aws, id).await? else {
        return Ok(Status::Pending("database is not visible".into()));
    };
    Ok(match db.db_instance_status().unwrap_or_default() {
        "available" | "storage-optimization" => Status::Ready(()),
        status if is_failed(status) => Status::Failed(Diagnostics::error(
            format!("Database {id} is {status}"),
            "RDS does not say more here; its events do: `aws rds describe-events --source-type db-instance`.",
        )),
        status => Status::Pending(format!("database is {status}")),
    })
}

/// Available, and with nothing pending that was to be made now.
async fn settled(aws: &Aws, id: &str, planned: &Value) -> Result<Status<()>, Diagnostics> {
    let status = available(aws, id).await?;
    if !matches!(status, Status::Ready(())) || planned.get_bool("apply_immediately") != Some(true) {
        return Ok(status);
    }
    let pending = describe(aws, id)
        .await?
        .and_then(|db| db.pending_modified_values);
    let waiting = pending.is_some_and(|p| {
        p.db_instance_class.is_some()
            || p.allocated_storage.is_some()
            || p.engine_version.is_some()
            || p.master_user_password.is_some()
            || p.multi_az.is_some()
            || p.storage_type.is_some()
            || p.iops.is_some()
    });
    Ok(if waiting {
        Status::Pending("database is about to be modified".into())
    } else {
        Status::Ready(())
    })
}

fn view(aws: &Aws, db: &RdsInstance, known: &Value) -> Value {
    let endpoint = db.endpoint();
    let address = endpoint.and_then(|e| e.address());
    let port = endpoint.and_then(|e| e.port());
    let identifier = db.db_instance_identifier().unwrap_or_default();
    let prefix = string(known, "identifier_prefix")
        .or_else(|| names::prefix_of(identifier).map(str::to_owned));
    let actual = db.engine_version().unwrap_or_default();
    let parameter_group = db
        .db_parameter_groups()
        .first()
        .and_then(|g| g.db_parameter_group_name());
    let option_group = db
        .option_group_memberships()
        .first()
        .and_then(|g| g.option_group_name());
    let secret = db.master_user_secret().map(|s| {
        Value::object([
            ("kms_key_id", text(s.kms_key_id())),
            ("secret_arn", text(s.secret_arn())),
            ("secret_status", text(s.secret_status())),
        ])
    });
    let groups = db
        .vpc_security_groups()
        .iter()
        .filter_map(|g| g.vpc_security_group_id());
    // A user managed by RDS is told by its secret; unset stays unset otherwise.
    let managed = secret.is_some() && known.get("manage_master_user_password").is_some();
    let mut view = View::of(known);
    if managed {
        view.set("manage_master_user_password", true);
    }
    for (name, found) in [
        ("storage_encrypted", db.storage_encrypted()),
        (
            "iam_database_authentication_enabled",
            db.iam_database_authentication_enabled(),
        ),
    ] {
        // False and unset are the same.
        if found == Some(true) || known.get_bool(name).is_some() {
            view.flag(name, found);
        }
    }
    let limit = db.max_allocated_storage();
    if limit.is_some() || known.get_i64("max_allocated_storage") != Some(0) {
        view.int("max_allocated_storage", limit);
    }
    view.text(
        "id",
        Some(
            db.dbi_resource_id()
                .filter(|r| !r.is_empty())
                .unwrap_or(identifier),
        ),
    )
    .text("arn", db.db_instance_arn())
    .text("resource_id", db.dbi_resource_id())
    .text("status", db.db_instance_status())
    .text("address", address)
    .text(
        "endpoint",
        address
            .zip(port)
            .map(|(a, p)| format!("{a}:{p}"))
            .as_deref(),
    )
    .text("hosted_zone_id", endpoint.and_then(|e| e.hosted_zone_id()))
    .text(
        "latest_restorable_time",
        time(db.latest_restorable_time()).as_deref(),
    )
    .set("identifier", identifier)
    .set("identifier_prefix", prefix.unwrap_or_default())
    .text("engine", db.engine())
    .set(
        "engine_version",
        shown_version(known.get_str("engine_version"), actual),
    )
    .set("engine_version_actual", actual)
    .text("db_name", db.db_name())
    .text("username", db.master_username())
    .text("character_set_name", db.character_set_name())
    .text("timezone", db.timezone())
    .text("license_model", db.license_model())
    .text("instance_class", db.db_instance_class())
    .int("allocated_storage", db.allocated_storage())
    .text("storage_type", db.storage_type())
    .int("iops", db.iops().or(Some(0)))
    .int("storage_throughput", db.storage_throughput().or(Some(0)))
    .text("kms_key_id", db.kms_key_id())
    .int("port", port)
    .text(
        "db_subnet_group_name",
        db.db_subnet_group().and_then(|g| g.db_subnet_group_name()),
    )
    .all_texts("vpc_security_group_ids", groups)
    .text("availability_zone", db.availability_zone())
    .flag("multi_az", db.multi_az())
    .text("network_type", db.network_type())
    .flag("publicly_accessible", db.publicly_accessible())
    .text("parameter_group_name", parameter_group)
    .text("option_group_name", option_group)
    .text("ca_cert_identifier", db.ca_certificate_identifier())
    .flag(
        "auto_minor_version_upgrade",
        db.auto_minor_version_upgrade(),
    )
    .int("backup_retention_period", db.backup_retention_period())
    .text("backup_window", db.preferred_backup_window())
    .text("maintenance_window", db.preferred_maintenance_window())
    .flag("copy_tags_to_snapshot", db.copy_tags_to_snapshot())
    .flag("deletion_protection", db.deletion_protection())
    .texts(
        "enabled_cloudwatch_logs_exports",
        db.enabled_cloudwatch_logs_exports(),
    )
    .int("monitoring_interval", db.monitoring_interval().or(Some(0)))
    .text("monitoring_role_arn", db.monitoring_role_arn())
    .flag(
        "performance_insights_enabled",
        db.performance_insights_enabled(),
    )
    .text(
        "performance_insights_kms_key_id",
        db.performance_insights_kms_key_id(),
    )
    .int(
        "performance_insights_retention_period",
        db.performance_insights_retention_period().or(Some(0)),
    )
    .text(
        "master_user_secret_kms_key_id",
        db.master_user_secret().and_then(|s| s.kms_key_id()),
    )
    .set(
        "master_user_secret",
        Value::tuple(secret.into_iter().collect()),
    )
    .tags(aws, rds::from_list(db.tag_list()))
    .done()
}

/// A version that was asked for by its beginning ("16") stays as asked while it still fits.
fn shown_version(asked: Option<&str>, actual: &str) -> String {
    match asked {
        Some(a) if actual == a || actual.strip_prefix(a).is_some_and(|r| r.starts_with('.')) => {
            a.to_owned()
        }
        _ => actual.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_asked_for_by_its_beginning_stays_while_it_fits() {
        assert_eq!(shown_version(Some("16"), "16.4"), "16");
        assert_eq!(shown_version(Some("16.3"), "16.4"), "16.4");
        assert_eq!(shown_version(Some("1"), "16.4"), "16.4");
        assert_eq!(shown_version(None, "16.4"), "16.4");
    }
}
