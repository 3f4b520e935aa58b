locals {
  heredoc = <<-EOT
    one
      two
  EOT
  text    = "a\r\nb" # a comment
}

output "heredoc" {
  value = local.heredoc
}

output "text" {
  value = local.text
}
