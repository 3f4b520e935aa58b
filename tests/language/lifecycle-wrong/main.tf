variable "x" {}

resource "terraform_data" "arguments" {
  lifecycle {
    create_before_destroy = "maybe"
    prevent_destroy       = var.x
    ignore_change         = []
    destroy               = false

    preconditions {}
  }
}

resource "terraform_data" "bools" {
  lifecycle {
    create_before_destroy = null
    prevent_destroy       = 1
  }
}

resource "terraform_data" "conditions" {
  lifecycle {
    precondition {}

    precondition {
      condition     = true
      error_message = "Constant."
    }

    precondition {
      condition     = self.input == "x"
      error_message = "No self before."
    }

    postcondition {
      condition     = self.input == "x"
      error_message = "Fine."
      extra         = 1
    }
  }
}

resource "terraform_data" "own_name" {
  lifecycle {
    precondition {
      condition     = terraform_data.own_name.id == "x"
      error_message = "A cycle."
    }
  }
}
