variable "password" {
  ephemeral = true
  default   = "p"
}

resource "aws_db_instance" "d" {
  instance_class      = "db.t3.micro"
  engine              = "postgres"
  username            = "u"
  password_wo         = var.password
  password_wo_version = 1
}

resource "aws_db_instance" "e" {
  instance_class = "db.t3.micro"
  engine         = "postgres"
  username       = "u"
  password       = var.password
}
