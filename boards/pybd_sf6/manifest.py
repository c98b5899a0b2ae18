"""What is frozen into the VM: start-up, board, kernels. The application comes in a bank."""

freeze(".", ("_boot.py", "board.py"))
for part in ("signature", "banks", "bank_folders", "bank_choice", "boot", "main"):
    freeze("../../firmware", part + ".py")
freeze("..", "kernels.py")
for part in ("crypto", "files", "mount", "raw_flash", "service"):
    freeze("..", "common/" + part + ".py")
