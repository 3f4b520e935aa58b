resource "a" "b" {
  user_data = <<-EOT
        #!/bin/sh
          echo "${var.x}"
        EOT
  name      = "x"
}
