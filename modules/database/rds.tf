# Amazon RDS for PostgreSQL, for production: private, encrypted, reached by the
# cluster's nodes only. (Security groups work by node, not by pod: inside the
# cluster it is the password that keeps others out.)

locals {
  rds_count = local.in_cluster ? 0 : 1
}

# Final snapshots outlive their instance, so the next one needs another name.
resource "random_id" "final_snapshot" {
  count = local.rds_count

  byte_length = 4
}

resource "aws_db_subnet_group" "this" {
  count = local.rds_count

  name        = var.name
  description = "Private subnets of Kong's database ${var.name}"
  subnet_ids  = var.network.subnet_ids

  tags = var.tags

  lifecycle {
    precondition {
      condition     = var.network != null
      error_message = "A database of type rds needs the variable network."
    }
  }
}

resource "aws_security_group" "this" {
  count = local.rds_count

  name        = var.name
  description = "Kong's database ${var.name}"
  vpc_id      = var.network.vpc_id

  tags = merge(var.tags, { Name = var.name })
}

resource "aws_vpc_security_group_ingress_rule" "postgresql" {
  count = local.rds_count

  security_group_id            = aws_security_group.this[0].id
  referenced_security_group_id = var.network.client_security_group_id
  description                  = "PostgreSQL from the nodes of the control plane"
  ip_protocol                  = "tcp"
  from_port                    = local.port
  to_port                      = local.port

  tags = var.tags
}

resource "aws_db_instance" "this" {
  count = local.rds_count

  identifier     = var.name
  engine         = "postgres"
  engine_version = var.rds.engine_version
  instance_class = var.rds.instance_class

  storage_type          = "gp3"
  storage_encrypted     = true
  allocated_storage     = var.rds.allocated_storage
  max_allocated_storage = var.rds.max_allocated_storage

  db_name  = var.database_name
  username = var.user_name
  password = random_password.this.result
  port     = local.port

  db_subnet_group_name   = aws_db_subnet_group.this[0].name
  vpc_security_group_ids = [aws_security_group.this[0].id]
  publicly_accessible    = false
  multi_az               = var.rds.multi_az

  auto_minor_version_upgrade = true
  backup_retention_period    = var.rds.backup_retention_period
  copy_tags_to_snapshot      = true
  deletion_protection        = var.rds.deletion_protection
  skip_final_snapshot        = var.rds.skip_final_snapshot
  final_snapshot_identifier  = var.rds.skip_final_snapshot ? null : "${var.name}-final-${random_id.final_snapshot[0].hex}"

  tags = var.tags

  timeouts {
    create = "40m"
    update = "80m"
    delete = "60m"
  }

  # Who is told the address may connect at once.
  depends_on = [aws_vpc_security_group_ingress_rule.postgresql]
}
