variable "on" {
  default = true
}

resource "terraform_data" "trigger" {
  input = { version = 1 }
}

resource "terraform_data" "full" {
  input = "x"

  lifecycle {
    create_before_destroy = "true"
    prevent_destroy       = false
    ignore_changes        = [input, triggers_replace]
    replace_triggered_by  = [terraform_data.trigger, terraform_data.trigger.input, terraform_data.trigger.input.version]

    precondition {
      condition     = var.on
      error_message = "Must be on."
    }

    postcondition {
      condition     = self.input == "x" && terraform_data.trigger.input.version == 1
      error_message = "Input is ${self.input}."
    }
  }
}

resource "terraform_data" "each" {
  for_each = { a = 1 }
  input    = each.value

  lifecycle {
    replace_triggered_by = [terraform_data.list, terraform_data.map[each.key].input]
  }
}

resource "terraform_data" "list" {
  count = 2

  lifecycle {
    replace_triggered_by = [terraform_data.trigger.id]
  }
}

resource "terraform_data" "map" {
  for_each = { a = 1 }
}

output "input" {
  value = terraform_data.full.input
}
