resource "terraform_data" "reserved" {
  locals {}
}

data "aws_region" "lifecycle" {
  lifecycle {
    create_before_destroy = true
    prevent_destroy       = true
    ignore_changes        = all
    replace_triggered_by  = []

    precondition {
      condition     = data.aws_region.lifecycle.name == "x"
      error_message = "No."
    }
  }

  provisioner "local-exec" {}

  connection {}
}

resource "terraform_data" "twice" {
  lifecycle {}

  lifecycle {}
}

resource "terraform_data" "1x" {}

resource "1x" "a" {}

resource "terraform_data" "same" {}

resource "terraform_data" "same" {}

resource "terraform_data" "depends_on" {
  depends_on = terraform_data.same
}

resource "terraform_data" "depends_on_elements" {
  depends_on = ["terraform_data.same", terraform_data.same.id, terraform_data.same[0], var.x, upper("x"), null, self, each.key, path.module]
}

variable "x" {}
